"""DDF files as a browser or a program sends them, made ready for `devices.inventory.services.object_models`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.core.files.uploadedfile import UploadedFile

from accounts.errors import Refused
from devices.inventory.services.object_models import MAX_FILE_BYTES, Source

MAX_FILES = 100


def sources(files: Sequence[UploadedFile[Any]]) -> list[Source]:
    """The files with their content; of one that is too large just enough is read to see that it is."""
    if not files:
        raise Refused("DDF_FILES_MISSING", field="files")
    if len(files) > MAX_FILES:
        raise Refused("DDF_FILES_TOO_MANY", field="files", count=len(files), limit=MAX_FILES)
    return [Source(file.name or "unnamed", file.read(MAX_FILE_BYTES + 1)) for file in files]
