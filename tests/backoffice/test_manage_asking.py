"""What is asked of a device on its page: typed inputs, refusals in words, observations, cancelling."""

from __future__ import annotations

import pytest
from django.utils import timezone

from accounts.roles import Role
from audit.causes import CAUSES
from devices.commands.models import Command, CommandState
from devices.commands.services import mailbox
from devices.observations.models import Observation
from tests.backoffice.managing import address, ask, desk, meter, signed_in, text

__all__ = ["desk", "meter", "signed_in"]
pytestmark = pytest.mark.django_db


# -- asking --------------------------------------------------------------------------------------------------


def test_a_button_in_the_tree_asks_and_comes_back_to_the_open_node(desk, meter):
    answer = ask(desk, meter, row="read /3/0/9", node="/3/0/14")
    assert answer.url == address(meter, "?node=%2F3%2F0%2F14")
    command = Command.objects.get()
    assert (command.operation, command.path) == ("read", "/3/0/9")
    assert command.requested_by.startswith("user:")
    page = text(desk.get(answer.url))
    assert "is on its way" in page
    assert "read waits" in page


def test_what_became_of_it_can_take_the_place_of_the_message(desk, meter):
    ask(desk, meter, row="read /3/0/9")
    command = Command.objects.get()
    page = text(desk.get(address(meter)))
    assert f'class="command-{command.pk} success"' in page
    assert "data-outcome" not in page
    Command.objects.update(
        state=CommandState.REFUSED, response_code="4.05", cause="METHOD_NOT_ALLOWED", ended_at=timezone.now()
    )
    page = text(desk.get(address(meter)))
    said = f"Read /3/0/9: refused by the device (4.05). {CAUSES['METHOD_NOT_ALLOWED'].support}"
    assert f'data-outcome="{said}"' in page


@pytest.mark.parametrize(
    ("path", "typed", "kept"),
    [
        ("/3/0/14", "+02:00", "+02:00"),
        ("/3/0/13", "2026-03-01T12:00:00", 1772366400),
        ("/1/0/1", "300", 300),
        ("/1/0/6", "true", True),
        ("/5/0/0", "0a:FF 10", {"base64": "Cv8Q"}),
    ],
)
def test_typed_inputs_become_the_values_of_the_operation(desk, meter, path, typed, kept):
    assert 'id="ask-write-value"' in text(desk.get(address(meter, f"?node={path}")))
    assert ask(desk, meter, ask="write", path=path, value=typed, reason="a test").status_code == 302
    assert Command.objects.get().arguments["value"] == kept


@pytest.mark.parametrize(
    ("path", "typed", "said"),
    [
        ("/1/0/1", "soon", "Enter a whole number."),
        ("/1/0/6", "", "This field is required."),
        ("/5/0/0", "0a f", "Write bytes as pairs"),
        ("/3/0/13", "tomorrow", "Enter a valid date/time."),
    ],
)
def test_a_slip_is_said_at_the_field_and_what_was_typed_stays(desk, meter, path, typed, said):
    page = text(ask(desk, meter, ask="write", path=path, value=typed))
    assert said in page
    assert f'value="{typed}"' in page or not typed
    assert not Command.objects.exists()


def test_a_refusal_of_the_service_is_said_in_its_words(desk, meter):
    page = text(ask(desk, meter, ask="execute", path="/3/0/12", arguments="no such thing"))
    assert "Arguments are written" in page
    assert not Command.objects.exists()


def test_what_a_node_cannot_do_is_not_offered(desk, meter):
    page = text(desk.get(address(meter, "?node=/3/0/9")))
    assert 'value="read"' in page
    assert 'value="write"' not in page
    assert 'value="execute"' not in page
    assert ask(desk, meter, ask="write", path="/3/0/9", value="1").status_code == 404
    assert ask(desk, meter, row="delete /3/0").status_code == 404
    assert ask(desk, meter, ask="read", path="nonsense").status_code == 404


def test_observing_is_offered_for_what_can_be_read_until_it_is_observed(desk, meter):
    button = 'name="row" value="observe /3/0/9"'
    page = text(desk.get(address(meter, "?node=/3/0/9")))
    assert button in page
    assert 'name="ask" value="observe"' in page
    assert 'value="observe /3/0/4"' not in page
    assert ask(desk, meter, row="observe /3/0/9").status_code == 302
    assert button not in text(desk.get(address(meter)))


def test_an_observation_is_wanted_and_ended(desk, meter):
    assert ask(desk, meter, ask="observe", path="/3/0/9", pmin="10", pmax="60").status_code == 302
    row = Observation.objects.get()
    assert row.attributes == {"pmin": 10, "pmax": 60}
    assert "Will be observed" in text(desk.get(address(meter, "?node=/3/0/9")))
    assert ask(desk, meter, row="cancel-observe /3/0/9").status_code == 302
    row.refresh_from_db()
    assert row.state == "ended"


def test_a_new_instance_takes_what_was_typed(signed_in, meter):
    desk = signed_in(Role.ADMINISTRATOR)
    typed = {"instance": "2", "r1": "300", "r7": "U", "reason": "a second account"}
    assert ask(desk, meter, ask="create", path="/1", **typed).status_code == 302
    assert Command.objects.get().arguments["instance_id"] == 2


def test_a_command_is_cancelled_once(desk, meter):
    command = mailbox.enqueue(device=meter, operation="read", path="/3/0", requested_by="system")
    assert f'value="{command.pk}">Cancel' in text(desk.get(address(meter)))
    assert "is cancelled" in text(desk.post(address(meter, "cancel/"), {"command": command.pk}, follow=True))
    assert "had ended already" in text(
        desk.post(address(meter, "cancel/"), {"command": command.pk}, follow=True)
    )


def test_a_path_that_is_none_is_said_so(desk, meter):
    assert "“battery” is no path." in text(desk.get(address(meter, "?node=battery")))


@pytest.mark.parametrize("number", ["", "²", "x", "99999999999999999999999", "0"])
def test_a_command_that_is_none_is_not_found(desk, meter, number):
    assert desk.post(address(meter, "cancel/"), {"command": number}).status_code == 404
