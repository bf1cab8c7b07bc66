"""Packs as code on the command line: plan, apply, upgrade, clone; how they end (B10, S116)."""

from __future__ import annotations

import json
from pathlib import Path

from builder.metadata import packs
from tests.builder.commands.test_workspace import Run, law, run  # noqa: F401 - fixtures
from tests.builder.services.test_packs import NEWER


def test_plan_and_apply_tell_the_same_and_twice_changes_nothing(run: Run, law: str, tmp_path: Path) -> None:  # noqa: F811
    run("workspace", "create", "acme", "--pack", law)
    newer = tmp_path / "newer.json"
    newer.write_text(packs.combined(NEWER), "utf-8")

    assert run("pack", "plan", law, "-w", "acme").exit_code == 0
    planned = run("pack", "plan", str(newer), "-w", "acme", "--json")
    assert planned.exit_code == 3
    assert [(each["key"], each["pointer"]) for each in json.loads(planned.stdout)["changes"]] == [
        ("rep", "/label"),
        ("client", "/icon"),
    ]
    assert "~ object/client: Icon: nothing → " in run("pack", "plan", str(newer), "-w", "acme").stdout
    applied = run("pack", "apply", str(newer), "-w", "acme", "--json")
    assert (applied.exit_code, json.loads(applied.stdout)) == (0, json.loads(planned.stdout))
    assert json.loads(run("pack", "apply", str(newer), "-w", "acme", "--json").stdout)["changes"] == []
    assert run("pack", "plan", str(newer), "-w", "acme").exit_code == 0

    cloned = run("workspace", "clone", "acme", "beta", "--json")
    assert json.loads(cloned.stdout)["source"] == "acme"
    assert run("pack", "export", "law", "-w", "beta").stdout == packs.combined(NEWER)
    assert run("workspace", "clone", "nobody", "gamma").exit_code == 1

    newer.write_text(packs.combined({**NEWER, "roles": [{"kind": "role", "key": "x"}]}), "utf-8")
    for command in ("plan", "apply"):
        broken = run("pack", command, str(newer), "-w", "acme")
        assert (broken.exit_code, "roles/x.json#" in broken.stdout) == (1, True)


def test_an_upgrade_needs_a_word_where_both_changed_the_same(run: Run, law: str, tmp_path: Path) -> None:  # noqa: F811
    run("workspace", "create", "acme", "--pack", law)
    mine, newer = tmp_path / "mine.json", tmp_path / "newer.json"
    own = json.loads(run("pack", "export", "law", "-w", "acme").stdout)
    own["objects"][0]["icon"] = "flag"
    mine.write_text(packs.combined(own), "utf-8")
    newer.write_text(packs.combined(NEWER), "utf-8")
    assert run("pack", "apply", str(mine), "-w", "acme").exit_code == 0

    refused = run("pack", "upgrade", str(newer), "-w", "acme")
    assert (refused.exit_code, "object/client#/icon" in refused.stderr) == (1, True)
    assert run("pack", "upgrade", str(newer), "-w", "acme", "--prefer", "ours").exit_code == 0
    exported = json.loads(run("pack", "export", "law", "-w", "acme").stdout)
    assert (exported["version"], exported["objects"][0]["icon"]) == ("1.1.0", "flag")
