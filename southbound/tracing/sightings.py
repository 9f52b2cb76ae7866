"""A protocol message as it waits to be traced: what was on the wire, turned into words only when it is written."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from devices.telemetry.services import traces
from devices.telemetry.services.traces import Direction
from lwm2m.codes import Code, ContentFormat, dotted
from lwm2m.messages import AnyRequest, Response
from lwm2m.objects import Catalogue
from lwm2m.registration import Origin
from southbound.listeners.lane import Exchange

RESET = "RST"
"""In the place of a code: the message was thrown away, which no code says."""
NOTIFY = "NOTIFY"
"""A notification is an answer to the Observe, and its method on the wire would be that one's."""
_METHODS: dict[int, str] = {
    Code.GET: "GET",
    Code.POST: "POST",
    Code.PUT: "PUT",
    Code.DELETE: "DELETE",
    Code.FETCH: "FETCH",
    Code.IPATCH: "iPATCH",
}
_REGISTRATIONS = "rd"


@dataclass(frozen=True, slots=True)
class Sighting:
    """One message. Its payload speaks of `about`; without `device_id` it is whoever is registered at `origin`."""

    at: float
    direction: Direction
    method: str
    path: str
    code: str = ""
    content_format: int | None = None
    payload: bytes = b""
    about: str = "/"
    duration_ms: float | None = None
    device_id: int | None = None
    origin: Origin | None = None
    catalogue: Catalogue | None = None

    def message(self, device_id: int, catalogue: Catalogue) -> traces.Message:
        """For the trace of `device_id`; `catalogue` are the models of its operator."""
        said = traces.payload(
            content_format=self.content_format,
            payload=self.payload,
            path=self.about,
            catalogue=self.catalogue or catalogue,
        )
        return traces.Message(
            device_id,
            datetime.fromtimestamp(self.at, tz=UTC),
            self.direction,
            self.method,
            self.path,
            self.code,
            self.content_format,
            said,
            len(self.payload),
            self.duration_ms,
        )


@dataclass(frozen=True, slots=True)
class Answered:
    """A request of a device and our answer: two messages, kept as they are until somebody has time for them."""

    exchange: Exchange
    response: Response
    answered_at: float
    device_id: int | None

    def sightings(self) -> Iterator[Sighting]:
        exchange, request, response = self.exchange, self.exchange.request, self.response
        method, path = words(request)
        content_format = request.content_format
        if request.payload and request.path[:1] == (_REGISTRATIONS,):
            content_format = int(ContentFormat.LINK)
        yield Sighting(
            exchange.came_at,
            Direction.IN,
            method,
            path,
            content_format=content_format,
            payload=request.payload,
            device_id=self.device_id,
            origin=exchange.origin,
        )
        yield Sighting(
            self.answered_at,
            Direction.OUT,
            method,
            path,
            dotted(response.code),
            response.content_format,
            response.payload,
            duration_ms=(self.answered_at - exchange.came_at) * 1000,
            device_id=self.device_id,
            origin=exchange.origin,
        )


def words(request: AnyRequest) -> tuple[str, str]:
    """Method and path as a person reads them; the query is part of the path."""
    query = f"?{'&'.join(request.query)}" if request.query else ""
    method = _METHODS.get(request.code) or dotted(request.code)
    return method, f"/{'/'.join(request.path)}{query}"


def spread(waiting: Iterable[Sighting | Answered]) -> list[Sighting]:
    """One by one, in the order of their time."""
    found: list[Sighting] = []
    for one in waiting:
        if isinstance(one, Answered):
            found.extend(one.sightings())
        else:
            found.append(one)
    return sorted(found, key=lambda sighting: sighting.at)
