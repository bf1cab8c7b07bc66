"""Real data through our own importer, reported: equal to the oracles that others computed."""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from builder.cli import main

DATA = Path(__file__).parents[4] / "shared" / "data"
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not DATA.is_dir(), reason=f"the real data is not there ({DATA})"),
]
Run = Callable[..., Any]
TOLERANCE = 1e-6


def oracle(name: str) -> Any:
    return json.loads((DATA / "oracles" / f"{name}.json").read_text("utf-8"))


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """run(*arguments): a command of ours on a fresh installation; its JSON answer where it has one."""
    folder = tmp_path_factory.mktemp("data")
    known = {"FUNNELWRIGHT_DATA": str(folder), "DATABASE_URL": f"sqlite:///{folder}/test.db"}

    def call(*arguments: str) -> Any:
        answer = CliRunner().invoke(main, list(arguments), env=known)
        assert answer.exit_code == 0, f"{arguments}\n{answer.output}\n{answer.exception!r}"
        return json.loads(answer.stdout) if "--json" in arguments else answer.stdout

    call("init")
    return call


@pytest.fixture(scope="module")
def maven(run: Run) -> Run:
    folder = DATA / "maven"
    run("workspace", "create", "maven", "--pack", "b2b")
    for file, key in (("accounts", "account"), ("products", "product")):
        run("import", str(folder / f"{file}.csv"), "-w", "maven", "--object", key, "--key", key,
            "--create-fields")  # fmt: skip
    run("import", str(folder / "sales_pipeline.csv"), "-w", "maven", "--object", "opportunity",
        "--key", "opportunity_id", "--load-history", "--pipeline", "Maven", "--create-pipeline",
        "--stage", "deal_stage", "--order", "Prospecting,Engaging", "--won", "Won", "--lost", "Lost",
        "--at", "engage_date", "--closed", "close_date", "--amount", "close_value",
        "--owner", "sales_agent", "--create-users", "--create-fields")  # fmt: skip
    return run


def wins_of(run: Run, *more: str) -> Any:
    return run("report", "wins", "-w", "maven", "--json", *more)


def assert_wins(found: Any, wanted: Any) -> None:
    assert found["opportunities"] == wanted["deals"]
    assert (found["won"], found["lost"], found["open"]) == (wanted["won"], wanted["lost"], wanted["open"])
    assert found["invalid"] == 0
    assert same(found["win_rate"], wanted["win_rate"])
    assert same(found["won_share"], wanted["won_share"])
    assert found["won_amount"] == wanted["won_value"]
    assert same(found["average_won"], wanted["avg_won_value"])
    assert same(found["median_won"], wanted["median_won_value"])
    cycle, days = found["cycle_days"], wanted["days_to_close_won"]
    assert cycle["n"] == days["n"]
    assert same(cycle["mean"], days.get("mean"))
    assert same(cycle["median"], days.get("median"))


def same(found: float | None, wanted: float | None) -> bool:
    if found is None or wanted is None:
        return found is wanted
    return abs(found - wanted) <= TOLERANCE * max(1.0, abs(wanted))


def test_the_whole_of_maven_equals_the_oracle(maven: Run) -> None:
    found = wins_of(maven)
    assert found["currency"] == "USD"
    assert_wins(found["total"], oracle("maven")["overall"])


@pytest.mark.parametrize(
    ("by", "name"), [("owner", "by_agent"), ("product", "by_product"), ("account", "by_account")]
)
def test_each_group_of_maven_equals_the_oracle(maven: Run, by: str, name: str) -> None:
    wanted = oracle("maven")[name]
    found = wins_of(maven, "--by", by)["groups"]

    # "GTXPro" of the pipeline file and "GTX Pro" of the price list are one product (oracle: product_fixed).
    figures = {key.replace(" ", ""): value for key, value in wanted.items()}
    names = [(group["key"] or "(blank)").replace(" ", "") for group in found]
    assert sorted(names) == sorted(figures)
    for name_of_group, group in zip(names, found, strict=True):
        assert_wins(group, figures[name_of_group])


@pytest.mark.parametrize(
    ("by", "name"), [("close_month", "by_close_month"), ("close_quarter", "by_close_quarter")]
)
def test_each_month_and_quarter_of_maven_equals_the_oracle(maven: Run, by: str, name: str) -> None:
    wanted = oracle("maven")[name]
    found = {group["key"]: group for group in wins_of(maven, "--by", by)["groups"]}

    assert list(found) == sorted(wanted)
    for key, figures in wanted.items():
        assert (found[key]["won"], found[key]["lost"]) == (figures["won"], figures["lost"])
        assert found[key]["won_amount"] == figures["won_value"]
        assert same(found[key]["win_rate"], figures["win_rate"])
        assert same(found[key]["average_won"], figures["avg_won_value"])


def test_a_period_of_maven_equals_the_oracle(maven: Run) -> None:
    wanted = oracle("maven")["filtered"]["closed 2017-04-01..2017-06-30"]
    assert_wins(wins_of(maven, "--from", "2017-04-01", "--to", "2017-07-01")["total"], wanted)


def test_the_funnel_of_maven_equals_the_oracle(maven: Run) -> None:
    reached = {step["stage"]: step["deals"] for step in oracle("maven")["funnel_reached"]}
    counts = oracle("maven")["stage_counts"]
    for mode in ("visited", "strict", "filled", "stay"):
        found = maven("report", "funnel", "-w", "maven", "--pipeline", "Maven", "--mode", mode, "--json")
        steps = {step["stage"]: step for step in found["steps"]}
        assert found["identity"] is True
        assert (found["mode"], list(steps)) == (mode, ["Prospecting", "Engaging", "Won"])
        for stage, step in steps.items():
            assert step["entered"] == reached[stage]
            assert step["still_there"] == counts[stage]
        assert steps["Engaging"]["lost"] == counts["Lost"]
        assert same(steps["Engaging"]["cumulative"], 0.943182)
    assert (steps["Engaging"]["numerator"], steps["Engaging"]["denominator"]) == (4238, 6711)


def test_no_lost_record_of_maven_skipped_a_stage_so_nothing_stays_unfilled(maven: Run) -> None:
    asked = ("report", "funnel", "-w", "maven", "--pipeline", "Maven", "--mode", "filled", "--json")
    filled, unfilled = maven(*asked), maven(*asked, "--lost-do-not-fill")
    assert (filled["mode"], unfilled["mode"], unfilled["identity"]) == ("filled", "filled_unless_lost", True)
    assert unfilled["definition"].startswith("M2c, lost do not fill")
    for full, step in zip(filled["steps"], unfilled["steps"], strict=True):
        assert {**step, "amount": 0} == {**full, "amount": 0}
    refused = CliRunner().invoke(
        main, ["report", "funnel", "-w", "x", "--pipeline", "x", "--lost-do-not-fill"]
    )
    assert refused.exit_code == 2


def test_groups_of_the_funnel_add_up(maven: Run) -> None:
    for by in ("owner", "product"):
        found = maven("report", "funnel", "-w", "maven", "--pipeline", "maven", "--by", by, "--json")
        for place, step in enumerate(found["steps"]):
            assert sum(group["steps"][place]["entered"] for group in found["groups"]) == step["entered"]
        assert all(group["identity"] for group in found["groups"])


def test_tables_are_printed_for_people(maven: Run) -> None:
    assert "63.15%" in maven("report", "wins", "-w", "maven", "--by", "owner")
    assert "Identity of M1: holds." in maven("report", "funnel", "-w", "maven", "--pipeline", "Maven")
    assert "Prospecting" in maven("report", "stays", "-w", "maven", "--pipeline", "Maven")


# name → (file, columns of case, stage, time, user), stages in order of first appearance
LOGS = {
    "running_example": ("running-example.csv", "case:concept:name", "concept:name", "time:timestamp"),
    "roadtraffic100": ("roadtraffic100traces.csv", "case:concept:name", "concept:name", "time:timestamp"),
    "receipt_stages": ("receipt_stages.csv.gz", "deal_id", "stage", "entered_at"),
}


@pytest.mark.parametrize("name", LOGS)
def test_an_event_log_equals_its_oracle(run: Run, tmp_path: Path, name: str) -> None:
    source, case, stage, at = LOGS[name]
    file = unpacked(DATA / "event_logs" / source, tmp_path)
    wanted = oracle(name)
    won, lost = (
        (wanted.get("outcome") or {}).get("won_stages", []),
        (wanted.get("outcome") or {}).get("lost_stages", []),
    )
    workspace = name.replace("_", "-")
    run("workspace", "create", workspace, "--pack", "b2b")
    more = [
        part
        for flag, stages in (("--won", won), ("--lost", lost))
        if stages
        for part in (flag, ",".join(stages))
    ]
    order = [key for key in stages_of(file, stage) if key not in won + lost]
    run("load-history", str(file), "-w", workspace, "--pipeline", "Log", "--create-pipeline", "--key", case,
        "--stage", stage, "--at", at, "--order", ",".join(order), *more)  # fmt: skip

    found = run("report", "stays", "-w", workspace, "--pipeline", "Log", "--json")

    entered = {item["stage"]: item["entered"] for item in found["stages"] if item["entered"]}
    assert entered == wanted["events_by_stage"]
    times = {item["stage"]: item for item in found["stages"] if item["n"]}
    assert {key: item["n"] for key, item in times.items()} == {
        key: item["n"] for key, item in wanted["time_in_stage"].items() if item["n"]
    }
    for key, item in times.items():
        assert same(item["mean_seconds"], wanted["time_in_stage"][key]["mean_s"]), key
        assert same(item["median_seconds"], wanted["time_in_stage"][key]["median_s"]), key
    follows = {(item["from"], item["to"]): item for item in found["directly_follows"]}
    assert {key: item["n"] for key, item in follows.items()} == {
        (item["from"], item["to"]): item["n"] for item in wanted["directly_follows"]
    }
    for item in wanted["directly_follows"]:
        assert same(follows[item["from"], item["to"]]["mean_seconds"], item["mean_s"])
    funnel = run("report", "funnel", "-w", workspace, "--pipeline", "Log", "--json")
    assert funnel["identity"] is True
    for step in funnel["steps"]:
        # A pipeline has a stage to win even where the log knows none.
        assert step["entered"] == wanted["events_by_stage"].get(step["stage"], 0)
        assert step["reached"] == wanted["cases_that_reached_stage"].get(step["stage"], 0)


def unpacked(file: Path, folder: Path) -> Path:
    if file.suffix != ".gz":
        return file
    plain = folder / file.stem
    plain.write_bytes(gzip.decompress(file.read_bytes()))
    return plain


def stages_of(file: Path, column: str) -> list[str]:
    with file.open(newline="", encoding="utf-8") as lines:
        return list(dict.fromkeys(row[column] for row in csv.DictReader(lines)))
