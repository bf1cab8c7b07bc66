"""Settings come from the environment; a bad one refuses and says which and why."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from builder.settings import MailServer, Settings, SettingsError


def settings(tmp_path: Path, **environ: str) -> Settings:
    return Settings.from_environ({"FUNNELWRIGHT_DATA": str(tmp_path), **environ})


def test_without_any_variable_it_is_a_sqlite_file_in_the_data_folder(tmp_path: Path) -> None:
    found = settings(tmp_path)

    assert found.database_url == f"sqlite:///{tmp_path}/funnelwright.db"
    assert found.database_owner_url == found.database_url
    assert (found.host, found.port, found.testing) == ("127.0.0.1", 8000, False)


def test_the_data_folder_is_made(tmp_path: Path) -> None:
    assert settings(tmp_path / "a" / "b").data_folder.is_dir()


def test_the_secret_is_made_once_and_only_its_owner_may_read_it(tmp_path: Path) -> None:
    first = settings(tmp_path).secret_key

    assert settings(tmp_path).secret_key == first
    assert len(first) >= 32
    assert stat.S_IMODE((tmp_path / "secret_key").stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["secret_key"]


def test_two_folders_have_different_secrets(tmp_path: Path) -> None:
    assert settings(tmp_path / "a").secret_key != settings(tmp_path / "b").secret_key


def test_a_given_secret_is_not_written_down(tmp_path: Path) -> None:
    assert settings(tmp_path, SECRET_KEY="s" * 20).secret_key == "s" * 20
    assert list(tmp_path.iterdir()) == []


def test_the_secret_is_not_shown_when_settings_are_printed(tmp_path: Path) -> None:
    assert "hush-hush-hush-hush" not in repr(settings(tmp_path, SECRET_KEY="hush-hush-hush-hush"))


@pytest.mark.parametrize(
    ("variable", "value", "reason"),
    [
        ("PORT", "0", "from 1 to 65535"),
        ("PORT", "65536", "from 1 to 65535"),
        ("PORT", "80a", "'80a'"),
        ("PORT", "１２", "whole number"),
        ("PORT", "1_000", "whole number"),
        ("PORT", "9" * 5000, "whole number"),
        ("PORT", "-1", "whole number"),
        ("DATABASE_URL", "mysql://x/y", "'mysql' is not known"),
        ("DATABASE_URL", "nonsense", "is not known"),
        ("DATABASE_URL", "sqlite://", "needs a file"),
        ("DATABASE_URL", "sqlite:///:memory:", "needs a file"),
        ("DATABASE_URL", "postgresql+psycopg://u:p@host/", "name of the database"),
        ("DATABASE_OWNER_URL", "sqlite:////tmp/other.db", "must equal"),
        ("DATABASE_OWNER_URL", "postgresql+psycopg://u@h/d", "same database system"),
        ("REPLICA_URL", "ftp://x", "is not known"),
        ("SECRET_KEY", "short", "at least 16"),
        ("LOG_LEVEL", "LOUD", "DEBUG, INFO"),
        ("LIMITS_STORAGE_URL", "carrier-pigeon://", "is not one of"),
        ("SECURE_COOKIES", "perhaps", "yes or no"),
        ("WEB_THREADS", "0", "from 1 to 256"),
        ("WEB_WORKERS", "0", "from 1 to 64"),
        ("MAX_UPLOAD", "1", "from 1024"),
        ("TRUSTED_PROXIES", "many", "whole number"),
        ("MAIL_URL", "mail.example.com", "is not known"),
        ("MAIL_URL", "smtps://", "name of the server"),
        ("MAIL_URL", "smtps://mail.example.com:99999", "port"),
        ("MAIL_URL", "smtps://u:p/w@mail.example.com", "port"),
        ("MAIL_URL", "smtps://mail.example.com/inbox", "behind the server"),
        ("MAIL_URL", "smtp://u:secret@mail.example.com", "or all could read it"),
        ("PUBLIC_URL", "crm.example.com", "must be as"),
    ],
)
def test_a_bad_value_is_refused_with_its_variable_and_reason(
    tmp_path: Path, variable: str, value: str, reason: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        settings(tmp_path, **{variable: value})

    assert caught.value.variable == variable
    assert reason in caught.value.reason


@pytest.mark.parametrize("variable", ["DATABASE_URL", "MAIL_URL"])
def test_a_password_in_a_bad_address_is_not_repeated(tmp_path: Path, variable: str) -> None:
    with pytest.raises(SettingsError) as caught:
        settings(tmp_path, **{variable: "mysql://root:hunter2@host/db"})

    assert "hunter2" not in str(caught.value)


def test_a_mail_server_needs_a_sender_and_the_address_that_links_begin_with(tmp_path: Path) -> None:
    given = {"MAIL_URL": "smtp+starttls://crm:p%40ss@mail.example.com"}
    for variable, value in (
        ("MAIL_FROM", "CRM <crm@example.com>"),
        ("PUBLIC_URL", "https://crm.example.com/"),
    ):
        with pytest.raises(SettingsError) as caught:
            settings(tmp_path, **given)
        assert caught.value.variable == variable
        given[variable] = value
    found = settings(tmp_path, **given)
    assert found.mail == MailServer(
        "mail.example.com", 587, "smtp+starttls", "CRM <crm@example.com>", "crm", "p@ss"
    )
    assert found.public_url == "https://crm.example.com"
    assert "p@ss" not in repr(found)
    assert settings(tmp_path).mail is None


def test_a_data_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")

    with pytest.raises(SettingsError) as caught:
        settings(tmp_path / "file" / "data")

    assert caught.value.variable == "FUNNELWRIGHT_DATA"


def test_an_empty_secret_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "secret_key").write_text("")

    with pytest.raises(SettingsError, match="too short"):
        settings(tmp_path)


@pytest.mark.parametrize(
    ("app", "owner", "role"),
    [
        ("fw_app@h/d", "fw_owner@h/d", "fw_app"),
        ("fw%40app:x@h/d", "fw_owner@h/d", "fw@app"),
        ("one@h/d", "one@h/d", None),
    ],
)
def test_the_application_role_is_named_only_when_it_is_not_the_owner(
    tmp_path: Path, app: str, owner: str, role: str | None
) -> None:
    scheme = "postgresql+psycopg://"

    assert settings(tmp_path, DATABASE_URL=scheme + app, DATABASE_OWNER_URL=scheme + owner).app_role == role
