"""The embedded mailbox: mails as files in the data directory, readable on a local page.

Used only when EMAIL_URL is not set and the portal is not in production: whoever can open the page can confirm
anybody's address, which is what a laptop demo wants and nobody else.
"""

from __future__ import annotations

import email
import email.policy
import re
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage as ParsedMessage
from pathlib import Path

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend

KEEP = 200
NAME = re.compile(r"^\d{13}-[0-9a-f]{8}\.eml$")
LINK = re.compile(r"https?://[^\s<>\"]+")


class LocalMailBackend(BaseEmailBackend):
    """Writes each mail as one .eml file, newest names last; keeps the newest 200."""

    def send_messages(self, messages: Sequence[EmailMessage]) -> int:
        folder = Path(settings.EMAIL_FILE_PATH)
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for message in messages:
            name = f"{int(time.time() * 1000):013d}-{uuid.uuid4().hex[:8]}.eml"
            (folder / name).write_bytes(message.message().as_bytes())
        for old in sorted(folder.glob("*.eml"))[:-KEEP]:
            old.unlink(missing_ok=True)
        return len(messages)


@dataclass(frozen=True)
class Mail:
    """One mail as the page shows it; `parts` alternates text and link: (kind, text)."""

    name: str
    at: datetime
    to: str
    sender: str
    subject: str
    parts: tuple[tuple[str, str], ...]


def newest(limit: int = 50) -> list[Mail]:
    folder = Path(settings.EMAIL_FILE_PATH)
    names = sorted((path.name for path in folder.glob("*.eml") if NAME.match(path.name)), reverse=True)
    return [mail for mail in map(read, names[:limit]) if mail]


def read(name: str) -> Mail | None:
    if not NAME.match(name):
        return None
    try:
        raw = (Path(settings.EMAIL_FILE_PATH) / name).read_bytes()
    except FileNotFoundError:
        return None
    message = email.message_from_bytes(raw, policy=email.policy.default)
    assert isinstance(message, ParsedMessage)
    body = message.get_body(preferencelist=("plain", "html"))
    return Mail(
        name=name,
        at=datetime.fromtimestamp(int(name.split("-")[0]) / 1000, tz=UTC),
        to=str(message["to"] or ""),
        sender=str(message["from"] or ""),
        subject=str(message["subject"] or ""),
        parts=tuple(_parts(body.get_content() if body else "")),
    )


def _parts(text: str):
    position = 0
    for match in LINK.finditer(text):
        yield "text", text[position : match.start()]
        yield "link", match.group()
        position = match.end()
    yield "text", text[position:]
