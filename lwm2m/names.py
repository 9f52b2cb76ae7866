"""Names of values in a payload: ``/dev0/3303/0/5700``, a prefix of an end device or an alternate path before the ids.

`OMA-TS-LWM2M_Gateway 6.4` (prefixes), `OMA-TS-LightweightM2M_Core 7.4` (absolute names).
"""

from __future__ import annotations

from functools import lru_cache

from lwm2m.errors import bad_request
from lwm2m.paths import Path, plain

MAX_LENGTH = 256


def place(name: str, path: Path) -> tuple[Path, str]:
    """A name as path and prefix without slashes at its ends; raise 4.00 for what does not lie in ``path``.

    A value without any name is that of the asked path itself.
    """
    if not name and path.depth:
        return path, ""
    if len(name) > MAX_LENGTH:
        raise bad_request("PAYLOAD_MALFORMED", "A name is not a path; send /object/instance/resource.")
    found, prefix = _split(name)
    within(found, path)
    return found, prefix


# Values of one kind come under the same names again and again.
@lru_cache(maxsize=4_096)
def _split(name: str) -> tuple[Path, str]:
    found = plain(name)
    if found is not None:
        return found, ""
    if not name.isprintable():
        raise bad_request("PAYLOAD_MALFORMED", "A name is not a path; send /object/instance/resource.")
    inner = name.strip("/")
    segments = inner.split("/") if inner else []
    ids_from = len(segments)
    while ids_from and segments[ids_from - 1].isdigit():
        ids_from -= 1
    return Path.of(tuple(segments[ids_from:])), "/".join(segments[:ids_from])


def within(found: Path, path: Path) -> None:
    """Raise 4.00 ``PAYLOAD_MALFORMED`` when ``found`` is not ``path`` or below it."""
    if not path.contains(found):
        raise bad_request("PAYLOAD_MALFORMED", f"The payload speaks of {found}, which is not in {path}.")


def written(prefix: str, path: Path) -> str:
    """The name of ``path`` behind ``prefix``, such as ``/dev0/3303/0``."""
    return f"/{prefix}{path}" if prefix else str(path)
