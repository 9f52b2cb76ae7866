"""Translators get all of it: the tools of gettext find the messages, and find them sound."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from django.core.management import call_command

HOUSE = Path(__file__).parents[2]
ROOMS = (
    "accounts",
    "api",
    "audit",
    "backoffice",
    "devices",
    "live",
    "m2m_portal",
    "provisioning",
    "selfservice",
    "support",
)


@pytest.mark.skipif(shutil.which("xgettext") is None, reason="Debian's gettext is not installed")
def test_a_translator_gets_every_message(tmp_path: Path, monkeypatch, settings) -> None:
    for room in ROOMS:  # a copy: the tool writes beside what it reads
        shutil.copytree(HOUSE / room, tmp_path / room, ignore=shutil.ignore_patterns("__pycache__"))
    settings.LOCALE_PATHS = [tmp_path / "locale"]
    monkeypatch.chdir(tmp_path)
    said = {}
    for domain in ("django", "djangojs"):
        call_command("makemessages", locale=["de"], domain=domain, verbosity=0)
        file = tmp_path / "locale" / "de" / "LC_MESSAGES" / f"{domain}.po"
        subprocess.run(["msgfmt", "--check-format", "--output-file=/dev/null", file], check=True)
        said[domain] = file.read_text()
    assert len(re.findall(r"^msgid ", said["django"], re.MULTILINE)) > 1_500
    for words in (
        'msgid "History is kept for 0 to %(limit)s days."',  # a refusal
        'msgid_plural "%(count)s commands waiting"',  # a plural in the source
        "%(taken)s devices behind it",  # a plural in a template
        'msgid "Your device did not accept one of its new settings."',  # a cause
    ):
        assert words in said["django"], words
    assert 'msgid "Reconnecting…"' in said["djangojs"]
