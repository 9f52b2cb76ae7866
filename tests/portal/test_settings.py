"""A wrong setting is one clear line that names the variable and says what to do; never a traceback."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
SEED = "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWY="
GOOD_PRODUCTION = {
    "PORTAL_MODE": "production",
    "PUBLIC_HOST": "portal.example",
    "PUBLIC_URL": "https://portal.example",
    "REDIS_URL": "redis://127.0.0.1:6379/0",
    "SECRET_KEY": "k" * 20 + "J9" * 20,
    "FIELD_ENCRYPTION_KEYS": "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWY=",
    "LEDGER_SIGNING_KEYS": SEED,
    "DATABASE_URL": "postgres://nobody@127.0.0.1:1/none",
    "EMAIL_URL": "smtp://127.0.0.1:25",
}


def run(tmp_path: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    keep = {key: os.environ[key] for key in ("PATH", "HOME", "LANG", "VIRTUAL_ENV") if key in os.environ}
    return subprocess.run(
        [sys.executable, "manage.py", *(arguments or ("diffsettings",))],
        cwd=ROOT,
        env={**keep, "DATA_DIR": str(tmp_path), **variables},
        text=True,
        capture_output=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    ("variables", "names"),
    [
        ({"HTTP_PORT": "eighty"}, "HTTP_PORT"),
        ({"COAP_PORT": "70000"}, "COAP_PORT"),
        ({"DEBUG": "perhaps"}, "DEBUG"),
        ({"PORTAL_MODE": "prod"}, "PORTAL_MODE"),
        ({"DATABASE_URL": "mysql://x@y/z"}, "DATABASE_URL"),
        ({"REDIS_URL": "http://x"}, "REDIS_URL"),
        ({"EMAIL_URL": "imap://x"}, "EMAIL_URL"),
        ({"FIELD_ENCRYPTION_KEYS": "short"}, "FIELD_ENCRYPTION_KEYS"),
        ({"LEDGER_SIGNING_KEYS": "short"}, "LEDGER_SIGNING_KEYS"),
        ({"LEDGER_SIGNING_KEYS": f"public:{SEED}"}, "LEDGER_SIGNING_KEYS"),
        ({"LEDGER_SIGNING_KEYS": f"{SEED},public:short"}, "LEDGER_SIGNING_KEYS"),
        ({**GOOD_PRODUCTION, "SECRET_KEY": "changeme"}, "SECRET_KEY"),
        ({**GOOD_PRODUCTION, "PUBLIC_URL": "ftp://portal.example"}, "PUBLIC_URL"),
        ({**GOOD_PRODUCTION, "DEBUG": "1"}, "DEBUG"),
    ],
)
def test_wrong_setting_is_one_clear_line(tmp_path: Path, variables: dict[str, str], names: str) -> None:
    result = run(tmp_path, **variables)
    assert result.returncode != 0
    lines = result.stderr.strip().splitlines()
    assert len(lines) == 1, result.stderr
    assert names in lines[0]


@pytest.mark.parametrize("value", ["", "  "])
@pytest.mark.parametrize("name", sorted(set(GOOD_PRODUCTION) - {"PORTAL_MODE"}))
def test_production_refuses_to_start_without(tmp_path: Path, name: str, value: str) -> None:
    result = run(tmp_path, **{**GOOD_PRODUCTION, name: value})
    assert result.returncode != 0
    lines = result.stderr.strip().splitlines()
    assert len(lines) == 1, result.stderr
    assert f"{name} is not set." in lines[0]


def test_production_binds_no_other_site_of_the_domain_unless_asked_to(tmp_path: Path) -> None:
    for asked in (False, True):
        more = {"SECURE_HSTS_PRELOAD": "1", "SECURE_HSTS_INCLUDE_SUBDOMAINS": "1"} if asked else {}
        result = run(tmp_path, "diffsettings", "--all", **GOOD_PRODUCTION, **more)
        for name in ("SECURE_HSTS_PRELOAD", "SECURE_HSTS_INCLUDE_SUBDOMAINS"):
            assert f"{name} = {asked}" in result.stdout


def test_limits_of_production_are_counted_in_redis(tmp_path: Path) -> None:
    result = run(tmp_path, "diffsettings", **GOOD_PRODUCTION)
    (line,) = [line for line in result.stdout.splitlines() if line.startswith("CACHES = ")]
    assert "RedisCache" in line


def test_the_embedded_database_is_its_owners_alone(tmp_path: Path) -> None:
    folder = tmp_path / "var"
    (folder / "mail").mkdir(parents=True)
    (folder / "portal.sqlite3-wal").touch()
    (folder / "mail" / "1.log").touch()
    for one in (folder, *folder.rglob("*")):
        one.chmod(0o755)
    assert run(folder, "migrate", "--verbosity", "0", "accounts").returncode == 0
    found = [folder, *folder.rglob("*")]
    assert folder / "portal.sqlite3" in found
    assert [str(one) for one in found if one.stat().st_mode & 0o077] == []


def test_a_folder_that_others_share_keeps_its_mode(tmp_path: Path) -> None:
    tmp_path.chmod(0o1777)
    (tmp_path / "portal.sqlite3").touch(mode=0o644)
    assert run(tmp_path).returncode == 0
    assert tmp_path.stat().st_mode & 0o7777 == 0o1777
    assert (tmp_path / "portal.sqlite3").stat().st_mode & 0o077 == 0


def test_production_settings_load_with_secrets_of_their_own(tmp_path: Path) -> None:
    result = run(tmp_path, **GOOD_PRODUCTION)
    assert result.returncode == 0, result.stderr


def test_embedded_secrets_are_made_once_and_kept_private(tmp_path: Path) -> None:
    assert run(tmp_path).returncode == 0
    file = tmp_path / "secrets" / "secret_key"
    first = file.read_text()
    assert file.stat().st_mode & 0o077 == 0
    assert run(tmp_path).returncode == 0
    assert file.read_text() == first
