"""What a payload of a device says, asked for or not: its text, whom it speaks of, and whether it says anything."""

from __future__ import annotations

from lwm2m.errors import bad_request
from lwm2m.objects import Catalogue
from lwm2m.paths import Path


def text(said: bytes) -> str:
    """What a device wrote, as text that any database takes."""
    return said.decode(errors="replace").replace("\x00", "\N{REPLACEMENT CHARACTER}")


def end_device(prefix: str, root_path: str) -> str:
    """The end device of a gateway that a name speaks of: its prefix without the alternate path."""
    if not root_path or prefix == root_path:
        return "" if prefix == root_path else prefix
    return prefix.removeprefix(f"{root_path}/")


def check_said(path: Path, payload: bytes, catalogue: Catalogue) -> None:
    """Raise where a payload without values says nothing of `path`.

    An empty pack is an object without instances, an instance or multiple resource with nothing in it, or a composite of
    which nothing is there; no bytes at all are that in TLV alone, and only objects are really empty there.
    """
    known = catalogue.resource(path)
    is_multiple = path.depth == 3 and known is not None and known.multiple
    if path.depth < 2 or (payload and (path.depth == 2 or is_multiple)):
        return
    raise bad_request("PAYLOAD_MALFORMED", f"It says nothing of {path}.")
