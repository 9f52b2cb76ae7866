"""DDF files as a browser or a program sends them, made ready for `devices.services.object_models`."""

from __future__ import annotations

from collections.abc import Sequence

from django.core.files.uploadedfile import UploadedFile

from devices.errors import Refused
from devices.services.object_models import MAX_FILE_BYTES, Source

MAX_FILES = 100


def sources(files: Sequence[UploadedFile]) -> list[Source]:
    """The files with their content; of one that is too large just enough is read to see that it is."""
    if not files:
        raise Refused("VALIDATION_FAILED", "Choose at least one DDF file (XML).", "files")
    if len(files) > MAX_FILES:
        raise Refused(
            "VALIDATION_FAILED", f"These are {len(files)} files; send at most {MAX_FILES} at once.", "files"
        )
    return [Source(file.name or "unnamed", file.read(MAX_FILE_BYTES + 1)) for file in files]
