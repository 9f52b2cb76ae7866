"""One batch of messages on its way: what was loaded, what each step left standing, what has to be written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from audit import ledger
from devices.inventory import events as inventory_events
from devices.inventory.services import credentials
from devices.inventory.states import Provisioning
from devices.registry import address_rows, events, registration_rows
from devices.registry.services import (
    admission,
    registration_addresses,
    registration_details,
    registration_history,
    registration_ids,
)
from devices.registry.services.registration_loading import Inbound, Loaded
from devices.registry.standing_rows import Standing
from lwm2m import registration
from lwm2m.codes import Code
from lwm2m.errors import Lwm2mError
from lwm2m.messages import Deregister, Register, Response, Update
from lwm2m.registration import Change, Origin, Outcome

EXCHANGE_LIFETIME = 247.0
"""Seconds in which a message that comes again is the same one (RFC 7252 section 4.8.2)."""


@dataclass(frozen=True, slots=True)
class Applied:
    """The outcome of one message. `device_id` is None where no device could be told; `expires_at` is what stands.

    `has_waiting` says that the device's mailbox is not empty, so that now, that it listens, is the time.
    """

    outcome: Outcome
    device_id: int | None = None
    operator_id: int | None = None
    has_waiting: bool = False
    displaced: tuple[int, ...] = ()
    """Devices whose address this one has now."""

    @property
    def is_plain_refresh(self) -> bool:
        return self.outcome.change is Change.REFRESHED


class Batch:
    """Made and used inside one transaction: `step` for each message in order, then `write`."""

    def __init__(self, batch: Sequence[Inbound], flow: str, now: datetime, grace_seconds: float) -> None:
        self.flow = flow
        self.now = now
        self.seconds = now.timestamp()
        self.grace_seconds = grace_seconds
        self.loaded = Loaded(batch)
        self._ids = registration_ids.draw(sum(isinstance(item.message, Register) for item in batch))
        self.refreshed: dict[int, float | None] = {}
        self.written: set[int] = set()
        self.ended: dict[int, str] = {}
        self.detailed: set[int] = set()
        self.used_credentials: set[int] = set()
        self.history: list[ledger.Event] = []
        self.heard: set[int] = set()
        self.changed: dict[str, dict[int, int]] = {}
        self.placed: dict[address_rows.Place, int] = {}
        self.displaced: dict[address_rows.Place, list[int]] = {}

    # -- steps --------------------------------------------------------------------------------------------
    def step(self, item: Inbound) -> Applied:
        message = item.message
        if isinstance(message, Update):
            return self._update(message, item.origin)
        if isinstance(message, Register):
            return self._register(message, item)
        return self._deregister(message, item.origin)

    def _update(self, message: Update, origin: Origin) -> Applied:
        standing = self.loaded.by_id.get(message.registration_id)
        if standing is None:
            return Applied(
                registration.update(
                    message, current=None, origin=origin, now=self.seconds, grace_seconds=self.grace_seconds
                )
            )
        error = self._unwelcome(standing, origin)
        if error is not None:
            return _refused(error, standing)
        outcome = registration.update(
            message,
            current=standing.current,
            origin=origin,
            now=self.seconds,
            grace_seconds=self.grace_seconds,
        )
        if outcome.change is Change.REFUSED:
            return _applied(outcome, standing)
        device_id = standing.device.device_id
        standing.current = after = outcome.registration
        assert after is not None
        self._place(device_id, after, is_new="origin" in outcome.changed)
        if outcome.change is Change.REFRESHED:
            self.refreshed[device_id] = after.expires_at
        else:
            self.written.add(device_id)
            if outcome.changed & registration_details.FIELDS:
                self.detailed.add(device_id)
            self._tell(standing, "changed")
            if registration_history.is_worth(outcome):
                self._note(standing, outcome)
        self._hear(standing)
        return _applied(outcome, standing)

    def _register(self, message: Register, item: Inbound) -> Applied:
        origin = item.origin
        standing = self.loaded.named(item)
        if standing is None:
            if origin.transport == "sms":
                return _refused(admission.number_unknown(origin.host), None)
            if origin.identity is not None:
                return _refused(admission.identity_unknown(), None)
            if message.endpoint is None:
                return _refused(admission.endpoint_missing(), None)
            return _refused(admission.endpoint_unknown(message.endpoint), None)
        error = admission.problem(
            standing.device, origin, registering=True, credential_id=origin.credential_id
        )
        if error is None:
            error = admission.not_ready(standing.device)
        if error is None:
            error = admission.binding_problem(standing.device, origin, message.binding)
        if error is not None:
            return _refused(error, standing)
        if self._is_repeated(standing, item):
            return self._repeated(standing)
        outcome = registration.register(
            registration_details.with_profiles(message, standing.device.operator_id),
            current=standing.current,
            endpoint=standing.device.endpoint,
            origin=origin,
            registration_id=self._ids.pop(),
            now=self.seconds,
        )
        if outcome.change is Change.REFUSED:
            return _applied(outcome, standing)
        registration_details.learn_profile(message, standing.device.operator_id)
        device_id = standing.device.device_id
        standing.current = after = outcome.registration
        assert after is not None
        standing.digest = item.digest
        self._place(device_id, after, is_new=True)
        self.written.add(device_id)
        if outcome.change is Change.REGISTERED or outcome.changed & registration_details.FIELDS:
            self.detailed.add(device_id)
        self.ended.pop(device_id, None)
        credential = self.loaded.by_identity.get(origin.identity or "") if origin.is_secured else None
        if credential is not None and credential.is_unused:
            self.used_credentials.add(credential.credential_id)
        self._note(standing, outcome)
        self._tell(standing, "registered")
        self._hear(standing)
        return _applied(outcome, standing)

    def _is_repeated(self, standing: Standing, item: Inbound) -> bool:
        """Whether this very message made the registration that stands, in whichever process (RFC 7252 section 4.5)."""
        current = standing.current
        return (
            current is not None
            and item.digest is not None
            and standing.digest == item.digest
            and current.origin == item.origin
            and self.seconds - current.registered_at < EXCHANGE_LIFETIME
        )

    def _repeated(self, standing: Standing) -> Applied:
        """The device has no answer yet, or lost it: the same one again, and the location stays what it was."""
        current = standing.current
        assert current is not None
        standing.current = after = registration.refreshed(current, now=self.seconds)
        self.refreshed[standing.device.device_id] = after.expires_at
        response = Response(Code.CREATED, location=("rd", after.registration_id))
        return _applied(Outcome(response, after, Change.REFRESHED, previous=current), standing)

    def _deregister(self, message: Deregister, origin: Origin) -> Applied:
        standing = self.loaded.by_id.get(message.registration_id)
        error = None if standing is None else self._unwelcome(standing, origin)
        if standing is not None and error is not None:
            return _refused(error, standing)
        outcome = registration.deregister(
            message,
            current=None if standing is None else standing.current,
            origin=origin,
            now=self.seconds,
            grace_seconds=self.grace_seconds,
        )
        if standing is None or outcome.change is Change.REFUSED:
            return _applied(outcome, standing)
        device_id = standing.device.device_id
        standing.current = None
        self.written.discard(device_id)
        self.refreshed.pop(device_id, None)
        self.ended[device_id] = "DEREGISTERED"
        self._note(standing, outcome)
        self._tell(standing, "ended")
        return _applied(outcome, standing)

    def _unwelcome(self, standing: Standing, origin: Origin) -> Lwm2mError | None:
        return admission.problem(
            standing.device, origin, registering=False, credential_id=standing.credential_id
        )

    def _place(self, device_id: int, after: registration.Registration, *, is_new: bool) -> None:
        """The last one to speak from an address without security has it; a refresh only takes it back in a batch."""
        place = registration_addresses.place_of(after.origin)
        if place is not None and (is_new or place in self.placed):
            self.placed[place] = device_id

    # -- writing ------------------------------------------------------------------------------------------
    def _hear(self, standing: Standing) -> None:
        if standing.device.provisioning != Provisioning.APPLIED:
            self.heard.add(standing.device.device_id)

    def _tell(self, standing: Standing, what: str) -> None:
        self.changed.setdefault(what, {})[standing.device.device_id] = standing.device.operator_id

    def _note(self, standing: Standing, outcome: Outcome) -> None:
        self.history.append(registration_history.event(standing.device, outcome, now=self.now))

    def write(self) -> None:
        """Everything the steps left, each table once, in the order of the house: registration rows first."""
        lost = self._displace()
        rows = {
            device_id: current
            for device_id in self.written
            if (current := self.loaded.devices[device_id].current) is not None
        }
        registration_rows.refresh(
            {device_id: e for device_id, e in self.refreshed.items() if device_id not in rows},
            flow=self.flow,
            now=self.now,
        )
        if rows:
            digests = {device_id: self.loaded.devices[device_id].digest for device_id in rows}
            registration_rows.save(rows, digests=digests, flow=self.flow)
        if lost:
            address_rows.end(lost)
        if self.ended:
            registration_rows.end(self.ended)
        if self.detailed or self.ended:
            registration_details.save({d: rows[d] for d in self.detailed if d in rows})
            registration_details.end(self.ended, now=self.now)
        if self.used_credentials:
            credentials.first_use(credential_ids=sorted(self.used_credentials), now=self.now)
        if self.history:
            ledger.record_many(self.history)
        for what, devices in self.changed.items():
            inventory_events.devices_changed(devices.items(), [what])
        if self.heard:
            events.HEARD.tell(sorted(self.heard))

    def _displace(self) -> set[int]:
        """End the addresses that others have now; returns whose rows are not written anyhow."""
        lost: list[address_rows.Displaced] = []
        for device_id in sorted(self.written):
            standing = self.loaded.devices[device_id]
            current = standing.current
            place = None if current is None else registration_addresses.place_of(current.origin)
            if current is None or place is None or self.placed.get(place, device_id) == device_id:
                continue
            facts = standing.device
            lost.append(
                address_rows.Displaced(
                    device_id, facts.endpoint, facts.operator_id, facts.subscriber_id, *place
                )
            )
            standing.current = replace(current, origin=registration_addresses.none_left(current.origin))
        known = self.written.union(self.ended)
        elsewhere = [
            one
            for one in address_rows.others_at(sorted(self.placed), known)
            if self.placed[one.place] != one.device_id
        ]
        for one in [*lost, *elsewhere]:
            self.displaced.setdefault(one.place, []).append(one.device_id)
            self.history.append(registration_addresses.event(one, now=self.now))
            self.changed.setdefault("changed", {})[one.device_id] = one.operator_id
        return {one.device_id for one in elsewhere}

    def told(self, applied: Applied) -> Applied:
        """With whose address it has now, once all is written."""
        after = applied.outcome.registration
        if not self.displaced or applied.device_id is None or after is None:
            return applied
        place = registration_addresses.place_of(after.origin)
        if place is None or self.placed.get(place) != applied.device_id:
            return applied
        return replace(applied, displaced=tuple(self.displaced.get(place, ())))


def _applied(outcome: Outcome, standing: Standing | None) -> Applied:
    if standing is None:
        return Applied(outcome)
    device = standing.device
    return Applied(outcome, device.device_id, device.operator_id, device.has_waiting)


def _refused(error: Lwm2mError, standing: Standing | None) -> Applied:
    current = None if standing is None else standing.current
    response = Response(error.code)
    return _applied(
        Outcome(response, current, Change.REFUSED, frozenset(), error.cause, error.detail, current), standing
    )
