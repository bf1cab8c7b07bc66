"""What README.md and CONTRIBUTING.md say is so."""

from __future__ import annotations

import pkgutil
import re
from dataclasses import fields
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from builder import settings
from builder.cli import COMMANDS, main
from builder.settings import Settings, SettingsError

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
PAGES = {"README.md": README, "CONTRIBUTING.md": CONTRIBUTING}


def table_under(page: str, heading: str) -> list[list[str]]:
    """The cells of the first table under a heading, without its head."""
    lines = page.split(f"## {heading}\n", 1)[1].splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith("|"))
    rows = []
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in line.strip("| ").split(" | ")])
    return rows


def code_in(cell: str) -> list[str]:
    without_blocks = re.sub(r"^```.*?^```", "", cell, flags=re.DOTALL | re.MULTILINE)
    return re.findall(r"`([^`]+)`", without_blocks)


COMMAND_LINES = [line for row in table_under(README, "Command line") for line in code_in(row[0])]


def found_command(words: list[str]) -> click.Command:
    command: click.Command = main
    context = click.Context(main)
    for word in words:
        assert isinstance(command, click.Group), words
        inner = command.get_command(context, word)
        assert inner is not None, words
        command = inner
    return command


@pytest.mark.parametrize("line", COMMAND_LINES)
def test_a_command_of_the_table_exists_with_its_words_and_options(line: str) -> None:
    words = [word for word in line.replace("\\", "").split() if not word.isupper()]
    options = [word for word in words if word.startswith("--")]
    names = [word.split("|") for word in words if not word.startswith("-")]
    choices = [[]]
    for each in names:
        choices = [[*before, name] for before in choices for name in each]
    for path in choices:
        command = found_command(path)
        answer = CliRunner().invoke(main, [*path, "--help"])
        assert answer.exit_code == 0, answer.output
        known = {text for option in command.params for text in getattr(option, "opts", ())}
        assert set(options) <= known, path


def test_every_command_is_in_the_table_of_the_readme() -> None:
    told = {line.split()[0] for line in COMMAND_LINES}
    assert told == set(COMMANDS)


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_explains_itself(name: str) -> None:
    answer = CliRunner().invoke(main, [name, "--help"])
    assert answer.exit_code == 0
    assert len(answer.output.splitlines()) > 4


SETTINGS = {
    variable: row
    for row in table_under(README, "Settings")
    for variable, row in zip(code_in(row[0]), [row] * 9, strict=False)
}
# variable: (field of Settings, how its default is written in the table)
DEFAULTS = {
    "FUNNELWRIGHT_DATA": ("data_folder", "./var"),
    "DATABASE_URL": ("database_url", "a SQLite file in the data folder"),
    "DATABASE_OWNER_URL": ("database_owner_url", "DATABASE_URL"),
    "REPLICA_URL": ("replica_url", "none"),
    "HOST": ("host", "127.0.0.1"),
    "PORT": ("port", "8000"),
    "WEB_THREADS": ("threads", "8"),
    "WEB_WORKERS": ("workers", "1"),
    "SECRET_KEY": ("secret_key", "made once, kept in the data folder"),
    "SECURE_COOKIES": ("secure_cookies", "no"),
    "TRUSTED_PROXIES": ("trusted_proxies", "0"),
    "LIMITS_STORAGE_URL": ("limits_storage", "memory://"),
    "MAX_UPLOAD": ("max_upload", "67108864"),
    "MAIL_URL": ("mail", "none"),
    "MAIL_FROM": ("mail", "none"),
    "PUBLIC_URL": ("public_url", "none"),
    "LOG_LEVEL": ("log_level", "INFO"),
}


def test_the_table_of_settings_names_what_is_read_from_the_environment() -> None:
    source = Path(settings.__file__).read_text("utf-8")
    read = set(re.findall(r'(?:env(?:\.get\()?|_\w+\(env),?\s*"([A-Z][A-Z_]+)"', source))
    assert set(SETTINGS) == read
    assert set(DEFAULTS) == read
    assert {name for name, _ in DEFAULTS.values()} == {item.name for item in fields(Settings)} - {"testing"}


@pytest.mark.parametrize("variable", sorted(DEFAULTS))
def test_the_table_of_settings_tells_the_true_default(
    variable: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    name, text = DEFAULTS[variable]
    row = SETTINGS[variable]
    names, shown = code_in(row[0]), row[1].replace("`", "")
    told = shown.split(", ") if len(names) > 1 else [shown]
    assert dict(zip(names, told, strict=True))[variable] == text
    value = getattr(Settings.from_environ({}), name)
    folder = tmp_path / "var"
    true = {
        "FUNNELWRIGHT_DATA": folder,
        "DATABASE_URL": f"sqlite:///{folder / 'funnelwright.db'}",
        "DATABASE_OWNER_URL": f"sqlite:///{folder / 'funnelwright.db'}",
        "REPLICA_URL": None,
        "MAIL_URL": None,
        "MAIL_FROM": None,
        "PUBLIC_URL": "",
        "SECURE_COOKIES": False,
        "SECRET_KEY": Settings.from_environ({}).secret_key,
    }
    assert value == (true[variable] if variable in true else type(value)(text))


@pytest.mark.parametrize("variable", sorted(set(DEFAULTS) - {"HOST"}))
def test_a_value_that_cannot_be_used_ends_with_2_and_names_the_variable(
    variable: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    wrong = "/dev/null/no" if variable == "FUNNELWRIGHT_DATA" else "nonsense"
    with pytest.raises(SettingsError) as caught:
        Settings.from_environ({variable: wrong})
    assert caught.value.variable == variable
    monkeypatch.setenv(variable, wrong)
    answer = CliRunner().invoke(main, ["init"])
    assert answer.exit_code == 2
    assert variable in answer.output


def test_make_has_the_targets_that_are_named() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    targets = set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))
    for name, page in PAGES.items():
        assert set(re.findall(r"\bmake ([a-z]+)`", page)) <= targets, name


# Not files: documents of a workspace, JSON keys, URLs, and the like.
NO_PATH = re.compile(r"[<>{}*()@:=$\s]|^/|^~|//|\.\.")
FILES = re.compile(r"(?:^|/)[\w.-]+\.(?:py|json|md|html|toml|txt|js|css|po)$|/$|^[\w.-]+/[\w./-]+$")


def paths_in(page: str) -> list[str]:
    return sorted({text for text in code_in(page) if FILES.search(text) and not NO_PATH.search(text)})


@pytest.mark.parametrize("name", sorted(PAGES))
def test_named_files_and_folders_exist(name: str) -> None:
    made_later = {"var/", "./var"}
    places = [ROOT, ROOT / "builder"]
    missing = [
        path
        for path in paths_in(PAGES[name])
        if path not in made_later and not any((place / path).exists() for place in places)
    ]
    assert paths_in(PAGES[name])
    assert not missing


def test_files_of_the_layers_picture_exist() -> None:
    picture = CONTRIBUTING.split("## Layers", 1)[1].split("```")[1]
    paths = re.findall(r"\b(?:builder|blueprints)/[\w/]*(?:\.py)?", picture)
    assert len(paths) > 10
    assert not [path for path in paths if not (ROOT / path).exists()]


def test_modules_and_functions_that_are_named_exist() -> None:
    """``services.transitions.move`` and the like, under ``builder``."""
    name = re.compile(r"(?:services|metadata|domain|queries|db|fieldtypes)(?:\.\w+)+")
    named = [text for text in code_in(CONTRIBUTING) if name.fullmatch(text)]
    assert len(named) > 8
    for text in named:
        pkgutil.resolve_name(f"builder.{text}")


def test_links_between_the_pages_lead_somewhere() -> None:
    for page in PAGES.values():
        for target in re.findall(r"\]\(([^)#]+)\)", page):
            assert target.startswith("https://") or (ROOT / target).exists(), target
