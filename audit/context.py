"""Who is acting right now, from where, in which request: carried beside the calls instead of through them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias

Kind: TypeAlias = Literal["user", "device", "system", "anonymous"]


@dataclass(frozen=True, slots=True)
class Actor:
    """Who did it. The label of a user or of somebody not signed in is personal data and can be erased."""

    kind: Kind
    id: str
    label: str = ""

    @property
    def is_person(self) -> bool:
        return self.kind in ("user", "anonymous")

    @property
    def subject(self) -> str:
        """Whose personal data it is, as `erase_personal` takes it; empty when nobody is known."""
        return f"{self.kind}:{self.id}" if self.id else ""


SYSTEM = Actor("system", "portal", "The portal")
ANONYMOUS = Actor("anonymous", "")


def user_actor(user: Any) -> Actor:
    """The actor of a request's user: `pk`, `email` and `is_authenticated` are all that is read."""
    if user is None or not user.is_authenticated:
        return ANONYMOUS
    return Actor("user", str(user.pk), user.email)


Acting: TypeAlias = Actor | Callable[[], Actor | None] | None


@dataclass(frozen=True, slots=True)
class Context:
    """Actors may be given as callables, asked anew for each event: a request learns its user late."""

    actor: Acting = None
    impersonator: Acting = None
    address: str = ""
    request_id: str = ""


_NOTHING_KNOWN = Context()
_current: ContextVar[Context] = ContextVar("audit_context", default=_NOTHING_KNOWN)


@contextmanager
def context(
    *,
    actor: Acting = None,
    impersonator: Acting = None,
    address: str | None = None,
    request_id: str | None = None,
) -> Iterator[None]:
    """Events recorded within carry what is given here; what is not given stays as it is outside."""
    given = {"actor": actor, "impersonator": impersonator, "address": address, "request_id": request_id}
    changed: Any = {name: value for name, value in given.items() if value is not None}
    token = _current.set(replace(_current.get(), **changed))
    try:
        yield
    finally:
        _current.reset(token)


def current_actor() -> Actor:
    return _resolved(_current.get().actor) or SYSTEM


def current_impersonator() -> Actor | None:
    return _resolved(_current.get().impersonator)


def current_address() -> str:
    return _current.get().address


def current_request_id() -> str:
    return _current.get().request_id


def _resolved(actor: Acting) -> Actor | None:
    return actor() if callable(actor) else actor
