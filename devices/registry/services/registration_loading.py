"""What a batch of messages is about: devices, registrations and credentials, loaded and locked in few statements."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from devices.registry import standing_rows as store
from devices.registry.services import registration_details
from devices.registry.standing_rows import Standing
from lwm2m.messages import Deregister, Register, Update
from lwm2m.registration import Origin

Message = Register | Update | Deregister


@dataclass(frozen=True, slots=True)
class Inbound:
    """A message of the management plane and where it came from.

    `digest` is of a Register as it came, message id and all, in 63 bits; None where nothing is repeated.
    """

    message: Message
    origin: Origin
    digest: int | None = None


class Loaded:
    """Made inside the transaction. `devices` is by device id, `by_id` by the registration id a message names."""

    def __init__(self, batch: Sequence[Inbound]) -> None:
        self.devices: dict[int, Standing] = {}
        self.by_id: dict[str, Standing] = {}
        self.by_endpoint: dict[str, int] = {}
        self.by_identity: dict[str, store.CredentialFacts] = {}
        self.by_number: dict[str, int] = {}
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
        """Devices of Register: by the session's credential, by SMS by number, in NoSec by name."""
        numbers = {i.origin.host for i in items if i.origin.transport == "sms"}
        if numbers:
            self.by_number = store.device_ids_by_number(sorted(numbers))
        items = [i for i in items if i.origin.transport != "sms"]
        identities = {i.origin.identity for i in items if i.origin.identity is not None}
        if identities:
            self.by_identity = store.management_credentials(sorted(identities))
        unsecured = [i for i in items if i.origin.identity is None]
        names = {i.message.endpoint for i in unsecured if isinstance(i.message, Register)} - {None}
        if names:
            self.by_endpoint = store.device_ids_by_endpoint(sorted(n for n in names if n))
        wanted = {facts.device_id for facts in self.by_identity.values()}
        wanted.update(self.by_endpoint.values(), self.by_number.values())
        if wanted:
            for standing in store.by_device_id(sorted(wanted)):
                self.devices[standing.device.device_id] = standing

    def _load_details(self, batch: Sequence[Inbound]) -> None:
        """What Register said, for those whose message may change it."""
        wanted = set()
        for item in batch:
            message = item.message
            if isinstance(message, Register):
                standing = self.named(item)
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

    def named(self, item: Inbound) -> Standing | None:
        if item.origin.transport == "sms":
            device_id = self.by_number.get(item.origin.host)
        elif item.origin.identity is not None:
            credential = self.by_identity.get(item.origin.identity)
            if credential is None or credential.credential_id != item.origin.credential_id:
                return None  # the session was made with a key that was replaced since
            device_id = credential.device_id
        else:
            name = item.message.endpoint if isinstance(item.message, Register) else None
            device_id = self.by_endpoint.get(name or "")
        return None if device_id is None else self.devices.get(device_id)


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
