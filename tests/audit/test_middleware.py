"""Every request has an id, and its events know who asked and from where, sync and async."""

import asyncio
import uuid
from types import SimpleNamespace

import pytest
from asgiref.sync import sync_to_async
from django.http import HttpResponse
from django.test import RequestFactory

from audit import ledger
from audit.middleware import AuditMiddleware, client_address
from audit.models import LedgerEvent

ANNA = SimpleNamespace(pk=42, email="anna@example.org", is_authenticated=True)
STAFF = SimpleNamespace(pk=1, email="staff@example.org", is_authenticated=True)
NOBODY = SimpleNamespace(pk=None, is_authenticated=False)


def request(user=ANNA, **headers):
    made = RequestFactory(REMOTE_ADDR="192.0.2.7").get("/", **headers)
    if user is not None:
        made.user = user
    return made


def record_view(_request):
    ledger.record(action="one", operator_id=1)
    return HttpResponse()


@pytest.mark.django_db
def test_events_of_a_request_carry_who_where_and_which():
    response = AuditMiddleware(record_view)(request(HTTP_X_REQUEST_ID="from-proxy-1"))
    event = LedgerEvent.objects.get()
    assert response["X-Request-Id"] == event.request_id == "from-proxy-1"
    assert (event.actor_kind, event.actor_id, event.actor_name) == ("user", "42", "anna@example.org")
    assert event.personal_value("address") == "192.0.2.7"
    assert ledger.current_request_id() == ""


@pytest.mark.django_db
def test_a_user_who_is_known_only_inside_the_view_is_recorded():
    def view(request):
        request.user = ANNA  # as token authentication does
        return record_view(request)

    AuditMiddleware(view)(request(NOBODY))
    assert LedgerEvent.objects.get().actor_id == "42"


@pytest.mark.django_db
@pytest.mark.parametrize("user", [NOBODY, None])
def test_somebody_not_signed_in_is_anonymous(user):
    AuditMiddleware(record_view)(request(user))
    event = LedgerEvent.objects.get()
    assert (event.actor_kind, event.actor_id, event.actor_name) == ("anonymous", "", "not signed in")


@pytest.mark.django_db
def test_the_impersonator_is_recorded():
    asked = request()
    asked.impersonator = STAFF
    AuditMiddleware(record_view)(asked)
    event = LedgerEvent.objects.get()
    assert (event.actor_id, event.impersonator_id, event.impersonator_name) == (
        "42",
        "1",
        "staff@example.org",
    )


@pytest.mark.parametrize(
    "bad", ["short", "x" * 65, "with space 1", "new\nline-12345", "<script>alert</script>", ""]
)
def test_a_bad_request_id_is_replaced(bad):
    response = AuditMiddleware(lambda _: HttpResponse())(request(HTTP_X_REQUEST_ID=bad))
    assert str(uuid.UUID(response["X-Request-Id"])) == response["X-Request-Id"]


def test_each_request_has_its_own_id():
    middleware = AuditMiddleware(lambda asked: HttpResponse(asked.request_id))
    first, second = middleware(request()), middleware(request())
    assert first.content.decode() == first["X-Request-Id"] != second["X-Request-Id"]


def test_the_user_is_not_looked_up_for_nothing():
    class Lazy:
        @property
        def is_authenticated(self):
            raise AssertionError("looked up")

    AuditMiddleware(lambda _: HttpResponse())(request(Lazy()))


def test_a_view_that_fails_leaves_no_context_behind():
    def fail(_request):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        AuditMiddleware(fail)(request())
    assert ledger.current_request_id() == ""
    assert ledger.current_actor() == ledger.SYSTEM


def test_async_requests_do_not_mix():
    async def view(asked):
        await asyncio.sleep(0)
        seen = await sync_to_async(lambda: (ledger.current_actor().id, ledger.current_request_id()))()
        await asyncio.sleep(0)
        assert seen == (ledger.current_actor().id, ledger.current_request_id())
        return HttpResponse(" ".join(seen))

    async def both():
        middleware = AuditMiddleware(view)
        assert asyncio.iscoroutinefunction(middleware.__call__) is False
        return await asyncio.gather(
            middleware(request(ANNA, HTTP_X_REQUEST_ID="request-0001")),
            middleware(request(STAFF, HTTP_X_REQUEST_ID="request-0002")),
        )

    contents = [response.content.decode() for response in asyncio.run(both())]
    assert contents == ["42 request-0001", "1 request-0002"]


@pytest.mark.parametrize(
    ("proxies", "forwarded", "expected"),
    [
        (0, "203.0.113.9", "192.0.2.7"),
        (1, "203.0.113.9", "203.0.113.9"),
        (1, "spoofed, 203.0.113.9", "203.0.113.9"),
        (2, "203.0.113.9, 10.0.0.1", "203.0.113.9"),
        (2, "203.0.113.9", "192.0.2.7"),
        (1, "not an address", ""),
        (1, "2001:db8::1", "2001:db8::1"),
    ],
)
def test_only_our_own_proxies_are_believed(settings, proxies, forwarded, expected):
    settings.TRUSTED_PROXY_COUNT = proxies
    assert client_address(request(HTTP_X_FORWARDED_FOR=forwarded)) == expected


def test_a_client_without_an_address_has_none():
    assert client_address(RequestFactory(REMOTE_ADDR="").get("/")) == ""
