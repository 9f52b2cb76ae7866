"""The board's WebSocket: who may listen, what comes at once, and what comes when a device changes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from channels.layers import get_channel_layer
from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.models import Session
from django.db import connections
from django.test import Client

from accounts import events
from accounts.models import StaffMembership, User
from accounts.roles import Role
from accounts.services import people, signins
from backoffice.board.consumers import BoardConsumer
from devices.inventory.models import Device
from live import consumers
from live.consumers import NOT_ALLOWED
from live.groups import EVERYONE
from tests.live.line import PATIENCE_SECONDS, Line

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def thread(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """One thread for the page under test, and its database connection closed behind it."""
    one = ThreadPoolExecutor(max_workers=1)
    monkeypatch.setattr(consumers, "threads", one)
    yield
    one.submit(connections.close_all).result()
    one.shutdown()


@pytest.fixture
def board() -> Callable[..., None]:
    """Runs `play(line)` with an open line to the board, in a loop of its own."""

    def run(user: Any, play: Callable[[Line], Awaitable[None]], query: str = "") -> None:
        async def session() -> None:
            line = Line(BoardConsumer, f"/ws/board/?{query}", user)
            await line.open()
            await play(line)
            await line.close()
            await sync_to_async(connections.close_all)()

        asyncio.run(session())

    return run


async def say_changed(group: str, device_id: int) -> None:
    await get_channel_layer().group_send(
        group, {"type": "device.changed", "device_id": device_id, "what": ["registration"]}
    )


def test_the_present_state_comes_at_once(board, member, north, fleet):
    async def play(line: Line) -> None:
        sent = await line.hear(3)
        assert list(sent) == ["board-rows", "board-pages", "board-tiles"]
        assert "urn:dev:lost" in sent["board-rows"]
        assert "urn:dev:asleep" not in sent["board-rows"]

    board(member(Role.READ_ONLY, north), play, "state=lost")


def test_a_change_comes_as_one_row(board, member, north, device, registered):
    one = device("one")

    async def play(line: Line) -> None:
        await line.hear(3)
        await sync_to_async(registered)(one)
        for _ in range(20):
            await say_changed(f"operator.{north.pk}", one.pk)
        sent = await line.hear(2)
        assert set(sent) == {f"device-{one.pk}", "board-tiles"}
        assert await line.receive_nothing(0.5)

    board(member(Role.READ_ONLY, north), play)


def test_when_many_change_at_once_the_page_looks_again(board, member, north, device, registered):
    one = device("one")

    async def play(line: Line) -> None:
        await line.hear(3)
        await sync_to_async(registered)(one)
        await get_channel_layer().group_send(EVERYONE, {"type": "devices.changed"})
        sent = await line.hear(2)
        assert "one" in sent["board-rows"]

    board(member(Role.READ_ONLY, north), play)


def test_superusers_hear_of_all(board, person, device, registered):
    one = device("one")

    async def play(line: Line) -> None:
        await line.hear(3)
        await sync_to_async(registered)(one)
        await say_changed("board", one.pk)
        assert f"device-{one.pk}" in await line.hear(2)

    board(person("root@example.com", is_staff=True, is_superuser=True), play)


def test_other_operators_stay_silent(board, member, north, south, device):
    theirs = device("theirs", operator=south)

    async def play(line: Line) -> None:
        await line.hear(3)
        for group in (f"operator.{south.pk}", "board", f"operator.{north.pk}"):
            await say_changed(group, theirs.pk)
        assert await line.receive_nothing(1)

    board(member(Role.READ_ONLY, north), play)


def test_who_may_not_listen_is_told_so(board, subscriber):
    async def play(line: Line) -> None:
        assert await line.closed_with() == NOT_ALLOWED

    board(subscriber.user, play)
    board(AnonymousUser(), play)


def test_losing_the_role_ends_the_page(board, member, north, device):
    user = member(Role.READ_ONLY, north)
    one = device("one")

    async def play(line: Line) -> None:
        await line.hear(3)
        await StaffMembership.objects.filter(user=user).adelete()
        await say_changed(f"operator.{north.pk}", one.pk)
        assert await line.closed_with() == NOT_ALLOWED

    board(user, play)


def test_a_failure_closes_the_line_so_that_the_page_comes_back(
    board, member, north, device, monkeypatch, caplog
):
    one = device("one")

    async def play(line: Line) -> None:
        await line.hear(3)

        def broken(*args: object) -> None:
            raise RuntimeError

        monkeypatch.setattr("backoffice.board.parts.Parts.of", broken)
        await say_changed(f"operator.{north.pk}", one.pk)
        assert await line.closed_with() == 1011

    board(member(Role.READ_ONLY, north), play)
    assert "live_page_failed" in caplog.text


def test_a_reader_who_leaves_while_a_fragment_is_sent_is_no_failure(
    board, member, north, device, registered, monkeypatch, caplog
):
    one = device("one")
    tried = []

    async def play(line: Line) -> None:
        async def gone(*args: object) -> None:
            tried.append(args)
            raise OSError

        await line.hear(3)
        monkeypatch.setattr(BoardConsumer, "send_json", gone)
        await sync_to_async(registered)(one)
        await say_changed(f"operator.{north.pk}", one.pk)
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not tried:
                await asyncio.sleep(0.02)
        assert await line.receive_nothing(0.2)

    board(member(Role.READ_ONLY, north), play)
    assert len(tried) == 1
    assert "live_page_failed" not in caplog.text


def test_what_a_browser_sends_is_ignored(board, member, north):
    async def play(line: Line) -> None:
        await line.hear(3)
        await line.say('{"type": "device.changed", "device_id": 1}')
        await line.say("no json {")
        assert await line.receive_nothing(0.5)

    board(member(Role.READ_ONLY, north), play)


def _signs_out(user: User, line: Line) -> None:
    browser = Client()
    browser.cookies[settings.SESSION_COOKIE_NAME] = line.scope["session"].session_key
    assert browser.post("/accounts/logout/").status_code == 302


def _changes_the_password(user: User, line: Line) -> None:
    user.set_password("another horse battery")
    user.save()
    signins.password_changed(user=user)


def _is_switched_off(user: User, line: Line) -> None:
    people.change(user=user, changes={"is_active": False})


def _loses_the_session(user: User, line: Line) -> None:
    Session.objects.filter(session_key=line.scope["session"].session_key).delete()
    events.signed_off(user.pk)


@pytest.mark.parametrize("end", [_signs_out, _changes_the_password, _is_switched_off, _loses_the_session])
def test_a_page_ends_with_the_session_that_opened_it(board, member, north, device, end):
    """It is told at once, without a device that changes and before the next tick."""
    user = member(Role.READ_ONLY, north)

    async def play(line: Line) -> None:
        await line.hear(3)
        await sync_to_async(end)(user, line)
        assert await line.closed_with() == NOT_ALLOWED

    board(user, play)


def test_nothing_is_delivered_to_a_session_that_ended_unsaid(board, member, north, device, registered):
    one = device("one")
    user = member(Role.READ_ONLY, north)

    async def play(line: Line) -> None:
        await line.hear(3)
        await Session.objects.all().adelete()
        await sync_to_async(registered)(one)
        await say_changed(f"operator.{north.pk}", one.pk)
        assert await line.closed_with() == NOT_ALLOWED

    board(user, play)


def test_another_session_of_the_person_stays(board, member, north, device, registered):
    one = device("one")
    user = member(Role.READ_ONLY, north)

    async def play(line: Line) -> None:
        await line.hear(3)
        browser = Client()
        await sync_to_async(browser.force_login)(user, backend="accounts.backends.RoleBackend")
        await sync_to_async(browser.post)("/accounts/logout/")
        await sync_to_async(registered)(one)
        await say_changed(f"operator.{north.pk}", one.pk)
        assert f"device-{one.pk}" in await line.hear(2)

    board(user, play)


def test_two_readers_of_one_group_each_hear_their_own_time(person, device, registered):
    """One bell, two pages: each is written in the zone of its reader."""
    one = device("one")
    registered(one)
    people_here = {
        zone: person(f"{place}@example.com", is_staff=True, is_superuser=True, time_zone=zone)
        for place, zone in (("kolkata", "Asia/Kolkata"), ("tokyo", "Asia/Tokyo"))
    }

    async def play() -> dict[str, str]:
        heard = {}
        for zone, user in people_here.items():
            line = Line(BoardConsumer, "/ws/board/", user)
            await line.open()
            await line.hear(3)
            await sync_to_async(Device.objects.filter(pk=one.pk).update)(name=f"Seen from {zone}")
            await say_changed("board", one.pk)
            heard[zone] = (await line.hear(1))[f"device-{one.pk}"]
            await line.close()
        await sync_to_async(connections.close_all)()
        return heard

    heard = asyncio.run(play())
    assert " IST" in heard["Asia/Kolkata"]
    assert " JST" not in heard["Asia/Kolkata"]
    assert " JST" in heard["Asia/Tokyo"]
    assert " IST" not in heard["Asia/Tokyo"]
