"""The settings of a process, read once from the environment and checked before anything starts."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit

_LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
_DATABASE_SCHEMES = ("sqlite", "postgresql+psycopg")
_LIMIT_SCHEMES = ("memory", "redis", "rediss", "redis+sentinel", "memcached", "valkey")
_MAIL_PORTS = {"smtp": 25, "smtp+starttls": 587, "smtps": 465}
_SHORTEST_SECRET = 16
_DEFAULT_UPLOAD = 64 * 1024 * 1024


class SettingsError(Exception):
    """A setting that cannot be used. `variable` names it and `reason` says why, in English."""

    def __init__(self, variable: str, reason: str) -> None:
        super().__init__(f"{variable}: {reason}")
        self.variable = variable
        self.reason = reason


@dataclass(frozen=True)
class MailServer:
    """The server that takes our mails. `security`: how the connection is kept private: `smtp` (not at all),
    `smtp+starttls`, `smtps`. `sender` stands in the head of every mail.
    """

    host: str
    port: int
    security: str
    sender: str
    user: str = ""
    password: str = field(default="", repr=False)


@dataclass(frozen=True)
class Settings:
    """What one process needs to know before it starts. Sizes are bytes.

    `database_url` is what the application connects with; on PostgreSQL it must be a role that is neither
    owner nor superuser. `database_owner_url` runs migrations only. `mail`: without one, nothing is sent and
    nobody recovers a password by themselves. `public_url`: the address of this installation as mails name it,
    never taken from a request, whose sender could choose it. `testing` is never read from the
    environment.
    """

    data_folder: Path
    database_url: str
    database_owner_url: str
    secret_key: str = field(repr=False)
    replica_url: str | None = None
    host: str = "127.0.0.1"
    port: int = 8000
    threads: int = 8
    workers: int = 1
    limits_storage: str = "memory://"
    log_level: str = "INFO"
    secure_cookies: bool = False
    trusted_proxies: int = 0
    max_upload: int = _DEFAULT_UPLOAD
    mail: MailServer | None = None
    public_url: str = ""
    testing: bool = False

    @property
    def is_sqlite(self) -> bool:
        return self.database_url.startswith("sqlite")

    @property
    def app_role(self) -> str | None:
        """The PostgreSQL role of the application when migrations run as another one, else None."""
        app, owner = urlsplit(self.database_url).username, urlsplit(self.database_owner_url).username
        return unquote(app) if app and app != owner else None

    @classmethod
    def from_environ(cls, environ: Mapping[str, str] | None = None) -> Settings:
        """Read and check the environment.

        Creates the data folder and, when SECRET_KEY is not given, a secret file in it that only its owner
        may read. Errors: SettingsError, naming the first variable that cannot be used and why.
        """
        env = os.environ if environ is None else environ
        data_folder = _data_folder(env)
        database_url = _database_url(env, "DATABASE_URL", f"sqlite:///{data_folder / 'funnelwright.db'}")
        owner_url = _database_url(env, "DATABASE_OWNER_URL", database_url)
        _same_database(database_url, owner_url)
        return cls(
            data_folder=data_folder,
            database_url=database_url,
            database_owner_url=owner_url,
            replica_url=_database_url(env, "REPLICA_URL", "") or None,
            secret_key=_secret_key(env, data_folder),
            host=env.get("HOST", "").strip() or "127.0.0.1",
            port=_whole(env, "PORT", 8000, low=1, high=65535),
            threads=_whole(env, "WEB_THREADS", 8, low=1, high=256),
            workers=_whole(env, "WEB_WORKERS", 1, low=1, high=64),
            limits_storage=_limits_storage(env),
            log_level=_one_of(env, "LOG_LEVEL", "INFO", _LOG_LEVELS),
            secure_cookies=_yes_or_no(env, "SECURE_COOKIES", default=False),
            trusted_proxies=_whole(env, "TRUSTED_PROXIES", 0, low=0, high=10),
            max_upload=_whole(env, "MAX_UPLOAD", _DEFAULT_UPLOAD, low=1024, high=4 * 1024**3),
            mail=_mail_server(env),
            public_url=_public_url(env),
        )


def _data_folder(env: Mapping[str, str]) -> Path:
    folder = Path(env.get("FUNNELWRIGHT_DATA", "").strip() or "var").expanduser().absolute()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SettingsError(
            "FUNNELWRIGHT_DATA", f"cannot make the folder {folder} ({error.strerror})"
        ) from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise SettingsError("FUNNELWRIGHT_DATA", f"may not write in the folder {folder}")
    return folder


def _database_url(env: Mapping[str, str], variable: str, default: str) -> str:
    url = env.get(variable, "").strip() or default
    if not url:
        return url
    scheme, separator, rest = url.partition("://")
    if not separator or scheme not in _DATABASE_SCHEMES:
        # Only the scheme is repeated: the rest may hold a password.
        raise SettingsError(
            variable,
            f"scheme {scheme[:30]!r} is not known; write sqlite:///FILE or postgresql+psycopg://USER:PASSWORD@HOST/NAME",
        )
    if scheme == "sqlite" and (not rest.startswith("/") or rest in ("/", "/:memory:")):
        raise SettingsError(variable, "SQLite needs a file, as in sqlite:///var/funnelwright.db")
    if scheme != "sqlite" and not urlsplit(url).path.strip("/"):
        raise SettingsError(variable, "the name of the database is missing")
    return url


def _same_database(app_url: str, owner_url: str) -> None:
    if app_url.partition(":")[0] != owner_url.partition(":")[0]:
        raise SettingsError("DATABASE_OWNER_URL", "must be on the same database system as DATABASE_URL")
    if app_url.startswith("sqlite") and app_url != owner_url:
        raise SettingsError("DATABASE_OWNER_URL", "must equal DATABASE_URL with SQLite, or be left out")


def _secret_key(env: Mapping[str, str], data_folder: Path) -> str:
    given = env.get("SECRET_KEY", "")
    if given:
        if len(given) < _SHORTEST_SECRET:
            raise SettingsError("SECRET_KEY", f"must have at least {_SHORTEST_SECRET} characters")
        return given
    return _kept_secret(data_folder / "secret_key")


def _kept_secret(path: Path) -> str:
    """The secret of `path`, made at the first start.

    Written to a file of its own first and linked into place, so that of two processes starting at once both
    read the same whole secret.
    """
    try:
        if not path.exists():
            draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w", encoding="ascii") as file:
                file.write(secrets.token_urlsafe(48))
            try:
                os.link(draft, path)
            except FileExistsError:
                pass  # another process was quicker; its secret counts
            finally:
                draft.unlink()
        secret = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError("SECRET_KEY", f"is not set and {path} cannot be used ({error})") from error
    if len(secret) < _SHORTEST_SECRET:
        raise SettingsError(
            "SECRET_KEY", f"the secret kept in {path} is too short; remove the file for a new one"
        )
    return secret


def _mail_server(env: Mapping[str, str]) -> MailServer | None:
    """From MAIL_URL, as smtp+starttls://USER:PASSWORD@HOST:PORT, and MAIL_FROM."""
    url, sender = env.get("MAIL_URL", "").strip(), env.get("MAIL_FROM", "").strip()
    if sender and ("@" not in sender or not sender.isprintable()):
        raise SettingsError("MAIL_FROM", "must be an address, as in Funnelwright <crm@example.com>")
    if not url:
        return None
    scheme, separator, _ = url.partition("://")
    if not separator or scheme not in _MAIL_PORTS:
        # Only the scheme is repeated: the rest may hold a password.
        raise SettingsError(
            "MAIL_URL",
            f"scheme {scheme[:30]!r} is not known; write smtp+starttls://USER:PASSWORD@HOST, smtps:// or smtp://",
        )
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or _MAIL_PORTS[scheme]
    except ValueError as error:
        raise SettingsError("MAIL_URL", "the port must be a number from 1 to 65535") from error
    if not host:
        raise SettingsError("MAIL_URL", "the name of the server is missing")
    if parts.path.strip("/") or parts.query or parts.fragment:
        raise SettingsError(
            "MAIL_URL", "nothing may stand behind the server; write / ? # @ : in a password as %2F %3F …"
        )
    if parts.password and scheme == "smtp" and host not in ("localhost", "127.0.0.1", "::1"):
        raise SettingsError("MAIL_URL", "a password needs smtp+starttls:// or smtps://, or all could read it")
    if not sender:
        raise SettingsError("MAIL_FROM", "is missing; write Funnelwright <crm@example.com>")
    if not env.get("PUBLIC_URL", "").strip():
        raise SettingsError("PUBLIC_URL", "mails name it in their links; write https://crm.example.com")
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    return MailServer(host, port, scheme, sender, user, password)


def _public_url(env: Mapping[str, str]) -> str:
    url = env.get("PUBLIC_URL", "").strip().rstrip("/")
    parts = urlsplit(url)
    if url and (parts.scheme not in ("http", "https") or not parts.netloc or parts.query or parts.fragment):
        raise SettingsError("PUBLIC_URL", f"must be as https://crm.example.com, not {url[:60]!r}")
    return url


def _limits_storage(env: Mapping[str, str]) -> str:
    url = env.get("LIMITS_STORAGE_URL", "").strip() or "memory://"
    scheme = url.partition("://")[0]
    if scheme not in _LIMIT_SCHEMES:
        raise SettingsError(
            "LIMITS_STORAGE_URL", f"scheme {scheme[:30]!r} is not one of {', '.join(_LIMIT_SCHEMES)}"
        )
    return url


def _whole(env: Mapping[str, str], variable: str, default: int, *, low: int, high: int) -> int:
    text = env.get(variable, "").strip()
    if not text:
        return default
    # int() would also take 1_000 and full-width digits
    if not (text.isascii() and text.isdigit() and len(text) < 20 and low <= int(text) <= high):
        raise SettingsError(variable, f"must be a whole number from {low} to {high}, not {text[:40]!r}")
    return int(text)


def _one_of(env: Mapping[str, str], variable: str, default: str, choices: tuple[str, ...]) -> str:
    text = env.get(variable, "").strip().upper() or default
    if text not in choices:
        raise SettingsError(variable, f"must be one of {', '.join(choices)}, not {text[:40]!r}")
    return text


def _yes_or_no(env: Mapping[str, str], variable: str, *, default: bool) -> bool:
    text = env.get(variable, "").strip().lower()
    if not text:
        return default
    if text not in ("1", "yes", "true", "on", "0", "no", "false", "off"):
        raise SettingsError(variable, f"must be yes or no, not {text[:40]!r}")
    return text in ("1", "yes", "true", "on")
