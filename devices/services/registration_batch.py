"""One batch of messages on its way: what was loaded, what each step left standing, what has to be written."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from audit import ledger
from devices import events
from devices.services import (
    admission,
    credentials,
    registration_details,
    registration_history,
    registration_store_write,
)
from devices.services import registration_store as store
from devices.services.registration_store import Standing
from devices.states import Provisioning
from lwm2m import registration
from lwm2m.codes import Code
from lwm2m.errors import Lwm2mError
from lwm2m.messages import Deregister, Register, Response, Send, Update
from lwm2m.registration import Change, Origin, Outcome

Message = Register | Update | Deregister | Send

REGISTRATION_ID_BYTES = 12


@dataclass(frozen=True, slots=True)
class Inbound:
    """A message of the management plane and where it came from."""

    message: Message
    origin: Origin


@dataclass(frozen=True, slots=True)
class Applied:
    """The outcome of one message. `device_id` is None where no device could be told; `expires_at` is what stands.

    `has_waiting` says that the device's mailbox is not empty, so that now, that it listens, is the time.
    """

    outcome: Outcome
    device_id: int | None = None
    operator_id: int | None = None
    has_waiting: bool = False

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
        self.devices: dict[int, Standing] = {}
        self.by_id: dict[str, Standing] = {}
        self.by_endpoint: dict[str, int] = {}
        self.by_identity: dict[str, store.CredentialFacts] = {}
        self.by_address: dict[tuple[str, int], int] = {}
        self.refreshed: dict[int, float | None] = {}
        self.written: set[int] = set()
        self.ended: dict[int, str] = {}
        self.detailed: set[int] = set()
        self.used_credentials: set[int] = set()
        self.history: list[ledger.Event] = []
        self.heard: set[int] = set()
        self.changed: dict[str, dict[int, int]] = {}
        self._load(batch)

    # -- loading ------------------------------------------------------------------------------------------
    def _load(self, batch: Sequence[Inbound]) -> None:
        spoken: dict[str, None] = {}
        naming: list[Inbound] = []
        for item in batch:
            if isinstance(item.message, (Update, Deregister)):
                spoken[item.message.registration_id] = None
            else:
                naming.append(item)
        if naming:
            self._load_named(naming)
        if spoken:
            for standing in store.by_registration_id(list(spoken)):
                standing = self.devices.setdefault(standing.device.device_id, standing)
                if standing.current is not None:
                    self.by_id[standing.current.registration_id] = standing
        self._load_details(batch)

    def _load_named(self, items: Sequence[Inbound]) -> None:
        """Devices of Register and Send: by the session's credential, in NoSec by name or address."""
        identities = {i.origin.identity for i in items if i.origin.identity is not None}
        if identities:
            self.by_identity = store.management_credentials(sorted(identities))
        unsecured = [i for i in items if i.origin.identity is None]
        names = {i.message.endpoint for i in unsecured if isinstance(i.message, Register)} - {None}
        if names:
            self.by_endpoint = store.device_ids_by_endpoint(sorted(n for n in names if n))
        addresses = {(i.origin.host, i.origin.port) for i in unsecured if isinstance(i.message, Send)}
        if addresses:
            self.by_address = store.by_address(addresses)
        wanted = {facts.device_id for facts in self.by_identity.values()}
        wanted.update(self.by_endpoint.values(), self.by_address.values())
        if wanted:
            for standing in store.by_device_id(sorted(wanted)):
                self.devices[standing.device.device_id] = standing

    def _load_details(self, batch: Sequence[Inbound]) -> None:
        """What Register said, for those whose message may change it."""
        wanted = set()
        for item in batch:
            message = item.message
            if isinstance(message, Register):
                standing = self._named(item)
            elif isinstance(message, Update):
                standing = self.by_id.get(message.registration_id)
            else:
                continue
            if standing is None or standing.current is None:
                continue
            if not _is_plain(message) or item.origin != standing.current.origin:
                wanted.add(standing.device.device_id)
        for device_id, detail in registration_details.load(wanted).items():
            standing = self.devices[device_id]
            assert standing.current is not None
            standing.current = replace(standing.current, **detail)

    def _named(self, item: Inbound) -> Standing | None:
        if item.origin.identity is not None:
            credential = self.by_identity.get(item.origin.identity)
            return None if credential is None else self.devices.get(credential.device_id)
        if isinstance(item.message, Register):
            device_id = self.by_endpoint.get(item.message.endpoint or "")
        else:
            device_id = self.by_address.get((item.origin.host, item.origin.port))
        return None if device_id is None else self.devices.get(device_id)

    # -- steps --------------------------------------------------------------------------------------------
    def step(self, item: Inbound) -> Applied:
        message = item.message
        if isinstance(message, Update):
            return self._update(message, item.origin)
        if isinstance(message, Register):
            return self._register(message, item)
        if isinstance(message, Deregister):
            return self._deregister(message, item.origin)
        return self._send(item)

    def _update(self, message: Update, origin: Origin) -> Applied:
        standing = self.by_id.get(message.registration_id)
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
        standing = self._named(item)
        if standing is None:
            if origin.identity is not None:
                return _refused(admission.identity_unknown(), None)
            if message.endpoint is None:
                return _refused(admission.endpoint_missing(), None)
            return _refused(admission.endpoint_unknown(message.endpoint), None)
        error = admission.problem(standing.device, origin, registering=True)
        if error is not None:
            return _refused(error, standing)
        outcome = registration.register(
            registration_details.with_profiles(message, standing.device.operator_id),
            current=standing.current,
            endpoint=standing.device.endpoint,
            origin=origin,
            registration_id=secrets.token_urlsafe(REGISTRATION_ID_BYTES),
            now=self.seconds,
        )
        if outcome.change is Change.REFUSED:
            return _applied(outcome, standing)
        registration_details.learn_profile(message, standing.device.operator_id)
        device_id = standing.device.device_id
        standing.current = outcome.registration
        self.written.add(device_id)
        self.detailed.add(device_id)
        self.ended.pop(device_id, None)
        credential = None if origin.identity is None else self.by_identity[origin.identity]
        if credential is not None and credential.is_unused:
            self.used_credentials.add(credential.credential_id)
        self._note(standing, outcome)
        self._tell(standing, "registered")
        self._hear(standing)
        return _applied(outcome, standing)

    def _deregister(self, message: Deregister, origin: Origin) -> Applied:
        standing = self.by_id.get(message.registration_id)
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

    def _send(self, item: Inbound) -> Applied:
        """Values that a device reports on its own are not taken yet; an unknown sender is told to register."""
        standing = self._named(item)
        if (
            standing is None
            or standing.current is None
            or standing.current.origin.identity != item.origin.identity
        ):
            unknown = Lwm2mError(
                Code.NOT_FOUND, "REGISTRATION_UNKNOWN", "No registration of this sender; register."
            )
            return _refused(unknown, standing)
        return _refused(
            Lwm2mError(Code.METHOD_NOT_ALLOWED, "NOT_IMPLEMENTED", "Send is not taken by this server yet."),
            standing,
        )

    def _unwelcome(self, standing: Standing, origin: Origin) -> Lwm2mError | None:
        error = admission.problem(standing.device, origin, registering=False)
        if error is None and not standing.credential_counts:
            return Lwm2mError(Code.BAD_REQUEST, "PSK_IDENTITY_UNKNOWN", "These credentials no longer count.")
        return error

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
        rows = {
            device_id: current
            for device_id in self.written
            if (current := self.devices[device_id].current) is not None
        }
        registration_store_write.refresh(
            {device_id: e for device_id, e in self.refreshed.items() if device_id not in rows},
            flow=self.flow,
            now=self.now,
        )
        if rows:
            registration_store_write.save(rows, flow=self.flow)
        if self.ended:
            registration_store_write.end(self.ended)
        if self.detailed or self.ended:
            registration_details.save({d: rows[d] for d in self.detailed if d in rows})
            registration_details.end(self.ended, now=self.now)
        if self.used_credentials:
            credentials.first_use(credential_ids=sorted(self.used_credentials), now=self.now)
        if self.history:
            ledger.record_many(self.history)
        for what, devices in self.changed.items():
            events.devices_changed(devices.items(), [what])
        if self.heard:
            events.device_heard(sorted(self.heard))


def _is_plain(message: Register | Update) -> bool:
    """An Update that says nothing but that the device is there."""
    return (
        isinstance(message, Update)
        and message.lifetime_seconds is None
        and message.object_links is None
        and message.binding is None
        and message.queue_mode is None
        and message.sms_number is None
        and not message.attributes
        and not message.profile_ids
    )


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
