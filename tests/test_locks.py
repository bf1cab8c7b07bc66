"""The locks pin everything by hash and name no package index."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PYTHON_LOCKS = ("requirements.txt", "requirements-dev.txt", "requirements-build.txt", "requirements-node.txt")


def pinned(lock: str) -> dict[str, set[str]]:
    """Package to its versions (a universal lock may hold one per Python version)."""
    found: dict[str, set[str]] = {}
    for name, version in re.findall(
        r"^([a-z0-9][\w.-]*)==([\w.+!]+)", (ROOT / lock).read_text(), re.MULTILINE
    ):
        found.setdefault(name, set()).add(version)
    return found


@pytest.mark.parametrize("lock", PYTHON_LOCKS)
def test_a_python_lock_holds_only_pins_with_hashes(lock: str) -> None:
    requirements = (ROOT / lock).read_text().replace("\\\n", " ").splitlines()

    assert requirements
    for line in requirements:
        assert re.match(r"[a-z0-9][\w.-]*==[\w.+!]+ ", line), line
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", line), line


@pytest.mark.parametrize("lock", [*PYTHON_LOCKS, "package-lock.json"])
def test_a_lock_names_no_package_index(lock: str) -> None:
    text = (ROOT / lock).read_text()

    assert '"resolved"' not in text
    assert "--index-url" not in text
    assert "--extra-index-url" not in text
    assert "--find-links" not in text
    hosts = set(re.findall(r"https?://([^/\"\s]+)", text))
    assert {host for host in hosts if not host.endswith(("github.com", "opencollective.com"))} == set()


def test_every_npm_package_is_pinned_by_its_integrity() -> None:
    packages = json.loads((ROOT / "package-lock.json").read_text())["packages"]

    assert len(packages) > 7
    assert all("integrity" in facts for name, facts in packages.items() if name)


def test_the_development_lock_holds_the_runtime_lock_unchanged() -> None:
    runtime, development = pinned("requirements.txt"), pinned("requirements-dev.txt")

    assert {name: development.get(name) for name in runtime} == runtime


def test_every_dependency_of_the_project_is_locked() -> None:
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    for group, lock in (
        (project["dependencies"], "requirements.txt"),
        (project["optional-dependencies"]["dev"], "requirements-dev.txt"),
        (project["optional-dependencies"]["build"], "requirements-build.txt"),
    ):
        names = {re.match(r"[\w.-]+", entry)[0].lower() for entry in group}  # type: ignore[index]
        assert names <= set(pinned(lock)), names - set(pinned(lock))


def test_no_gpl_checker_of_addresses_is_pulled_in() -> None:
    assert "rfc3987" not in pinned("requirements.txt")
