"""The embedded mailbox keeps mails as files, shows their links, and lets nobody read other files."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core.mail import EmailMessage
from django.test import Client

from m2m_portal import local_mail


@pytest.fixture
def mailbox(settings, tmp_path: Path) -> Path:
    settings.EMAIL_FILE_PATH = tmp_path
    return tmp_path


def test_a_mail_is_kept_and_its_link_can_be_followed(mailbox: Path) -> None:
    message = EmailMessage("Welcome", "Confirm: http://127.0.0.1/x/ please", "p@x.example", ["ann@x.example"])
    assert local_mail.LocalMailBackend().send_messages([message]) == 1
    (mail,) = local_mail.newest()
    assert mail.subject == "Welcome"
    assert ("link", "http://127.0.0.1/x/") in mail.parts


def test_only_the_newest_are_kept(mailbox: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local_mail, "KEEP", 3)
    backend = local_mail.LocalMailBackend()
    for number in range(5):
        backend.send_messages([EmailMessage(f"{number}", "x", "p@x.example", ["a@x.example"])])
    assert len(local_mail.newest()) == 3


@pytest.mark.parametrize("name", ["../secrets/secret_key", "..%2f", "x.eml", "0000000000000-zzzzzzzz.eml"])
def test_no_other_file_can_be_read(mailbox: Path, name: str) -> None:
    assert local_mail.read(name) is None


@pytest.mark.django_db
def test_pages(mailbox: Path, client: Client) -> None:
    assert b"No mail yet" in client.get("/local-mail/").content
    local_mail.LocalMailBackend().send_messages(
        [EmailMessage("<b>Hi</b>", "x", "p@x.example", ["a@x.example"])]
    )
    page = client.get("/local-mail/").content
    assert b"&lt;b&gt;Hi&lt;/b&gt;" in page
    (mail,) = local_mail.newest()
    assert client.get(f"/local-mail/{mail.name}/").status_code == 200
    assert client.get("/local-mail/nothing/").status_code == 404
