"""``make bench``: load the company into both databases, ask the server, print figures beside their bars.

The machine may be shared: every page is measured in turn with the floor, so that both meet the same
moments, and processor time stands beside elapsed time. The first rounds of a page do not count: each shape
of statement is compiled once in the life of a process.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
from collections import defaultdict
from pathlib import Path
from random import Random
from typing import TypeAlias

from tests.bench import measures
from tests.bench.chromium import board_seconds
from tests.bench.client import Answer
from tests.bench.crowd import moving, reading
from tests.bench.databases import Database, PostgresDatabases, SqliteFiles
from tests.bench.exporting import exported
from tests.bench.importing import imported
from tests.bench.machine import ServerProcess, core_seconds
from tests.bench.measures import MEASURES, Visitor, visitors
from tests.bench.multiply import multiplied
from tests.bench.studio import studio_figures
from tests.bench.volume import volume_figures
from tests.bench.wire import board_sizes
from tests.bench.world import Parameters, prepare

UNCOUNTED = 25
PEOPLE = {"rep": 3, "manager": 1, "admin": 1}
# By measure and role.
Answers: TypeAlias = dict[str, dict[str, list[Answer]]]


def main() -> None:
    options = _options()
    parameters = Parameters(records=options.records)
    options.folder.mkdir(parents=True, exist_ok=True)
    print(f"{options.records * options.times:,} opportunities; core loop {core_seconds():.2f} s", flush=True)
    for system in options.system:
        store = (SqliteFiles if system == "sqlite" else PostgresDatabases)(options.folder)
        if options.volume:
            _volume(store, options)
        else:
            _measure(store, parameters, options)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--records", type=int, default=100_000)
    parser.add_argument("--times", type=int, default=1, help="the records copied: 10 is a million")
    parser.add_argument("--rounds", type=int, default=100, help="requests of each kind")
    parser.add_argument("--moves", type=int, default=800, help="moves by eight people")
    parser.add_argument("--import-rows", type=int, default=4_000)
    parser.add_argument("--studio", action="store_true", help="only the Studio")
    parser.add_argument("--volume", action="store_true", help="only what many rows ask for")
    parser.add_argument("--only", default="", help="measures whose name begins so")
    parser.add_argument("--system", nargs="+", default=["sqlite", "postgresql"])
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "funnelwright-bench")
    return parser.parse_args()


def _volume(store: SqliteFiles | PostgresDatabases, options: argparse.Namespace) -> None:
    """An import without history, the search for duplicates and undoing, of ``--records`` contacts."""
    print(f"\n== {store.system}, {options.records:,} contacts ==", flush=True)
    base, done, searched, pairs, undone = volume_figures(store, options.folder, options.records)
    _fact("import without history", options.records / (done.elapsed - base.elapsed), -5000, "rows/s")
    print(f"{'  by processor time':36} {options.records / (done.cpu - base.cpu):8.0f} rows/s")
    _fact("memory above an import of one row", done.megabytes - base.megabytes, 150, "MB")
    _fact(f"search for duplicates, {pairs:,} found", searched.elapsed, 60, "s")
    print(f"{'  processor time':36} {searched.cpu:8.1f} s")
    _fact("undoing the import", undone.elapsed, 60, "s")
    print(f"{'  processor time':36} {undone.cpu:8.1f} s")


def _measure(
    store: SqliteFiles | PostgresDatabases, parameters: Parameters, options: argparse.Namespace
) -> None:
    if options.times > 1:
        database, build = multiplied(store, parameters, options.times), None
    else:
        database, build = prepare(store, parameters)
    print(f"\n== {store.system} ==", flush=True)
    if build is not None:
        rate, cpu = build.records / build.load_seconds, build.records / build.cpu_seconds
        print(f"loaded {build.records:,} with {build.stays:,} stays: {rate:,.0f}/s, cpu {cpu:,.0f}/s;"
              f" verified clean in {build.verify_seconds:.0f} s")  # fmt: skip
    server = ServerProcess(database, options.folder / "data")
    try:
        memory = server.memory()
        _fact("first page after start", server.first_page_seconds, 3, "s")
        _fact("  processor time until then", server.start_cpu_seconds, 3, "s")
        _fact("idle memory of the worker", memory["worker"], 160, "MB")
        _fact("  with the process that watches it", memory["all"], 0, "MB")
        people = visitors(database, server.port, PEOPLE)
        if not options.studio:
            table(people, options)
            measures.check_written(database, people)
        if not options.only and not options.studio:
            first, later = board_sizes(people[-1])
            _fact("board on the wire, first visit", first / 1000, 250, "kB")
            _fact("board on the wire, later", later / 1000, 40, "kB")
            _in_chromium(people[-1], server.port)
        memory = server.memory()
        print(f"{'memory of the worker afterwards':36} {memory['worker']:8.1f} MB")
    finally:
        server.stop()
    if not options.only and not options.studio:
        _crowd(database, options)
        elapsed, cpu = imported(database, options.import_rows, options.folder)
        _fact("import of a file with history", elapsed, -2000, "rows/s")
        print(f"{'  by processor time':36} {cpu:8.0f} rows/s")
        for kind, bar in (("csv", -20_000), ("xlsx", 0)):
            _rows, elapsed, cpu = exported(database, kind)
            _fact(f"export of ten columns as {kind}", elapsed, bar, "rows/s")
            print(f"{'  by processor time':36} {cpu:8.0f} rows/s")
    if not options.only:
        # the last: it publishes a process without one of its stages
        _studio(database, options)
    store.drop(database.name)


def _in_chromium(visitor: Visitor, port: int) -> None:
    found = board_seconds(visitor, port)
    if found is None:
        print("board in Chromium: there is no Chromium on this machine")
        return
    _fact("board in Chromium, first visit", found[0] * 1000, 0, "ms")
    _fact("board in Chromium, from the click", found[1] * 1000, 500, "ms")


def _studio(database: Database, options: argparse.Namespace) -> None:
    """The designers, impact, lint and publishing, on a server of their own."""
    server = ServerProcess(database, options.folder / "data")
    try:
        (admin,) = visitors(database, server.port, {"admin": 1})
        for each in studio_figures(database, admin):
            mark = "  " if each.floors <= each.bar else "!!"
            print(f"{each.name:36}{each.value:9.1f} ms{each.floors:9.1f} × F  at most {each.bar:g} {mark}"
                  f"{each.statements:6}", flush=True)  # fmt: skip
    finally:
        server.stop()


def _crowd(database: Database, options: argparse.Namespace) -> None:
    """Eight people at once, with a process for each core."""
    is_sqlite = database.system == "sqlite"
    cores = os.cpu_count() or 1
    server = ServerProcess(database, options.folder / "data", cores)
    try:
        one, eight = reading(database, server.port)
        _fact("lists, one reader", one, 0, "per s")
        _fact(f"lists, eight readers on {cores} cores", eight, -0.6 * cores * one, "per s")
        _fact("moves, eight people at once", moving(database, server.port, options.moves),
              -(150 if is_sqlite else 250), "per s")  # fmt: skip
    finally:
        server.stop()


def table(people: list[Visitor], options: argparse.Namespace) -> None:
    """Ask in turn: the floor, then each page; print p50, p95, times the floor, statements.

    Beside the figures of all stand those of the role that waits longest: who sees everything asks for twenty
    times as much as who sees their own. ``p95/p50``, of processor time, is told within each role, where it
    shows what differs from one request to the next, and over all of them.
    """
    chance = Random(5)
    chosen = [measure for measure in MEASURES if measure.name.startswith(options.only)]
    answers: Answers = defaultdict(lambda: defaultdict(list))
    wrong: dict[str, str] = {}
    for number in range(-UNCOUNTED, options.rounds):
        for measure in chosen:
            if measure.name in wrong:
                continue
            visitor = chance.choice(people)
            base = measures.floor(visitor, chance)
            try:
                answer = measure.ask(visitor, chance)
            except measures.WrongAnswerError as error:
                wrong[measure.name] = str(error)
                continue
            if number >= 0:
                answers["floor"][visitor.person.role].append(base)
                answers[measure.name][visitor.person.role].append(answer)
    _print_table(chosen, answers, wrong)


def _print_table(chosen: list[measures.Measure], answers: Answers, wrong: dict[str, str]) -> None:
    floors = _all(answers["floor"])
    base, base_cpu = (_median(floors, what) for what in ("elapsed", "cpu"))
    print(f"{'':24}{'p50 ms':>8}{'p95':>8}{'× F':>7}{'slowest role':>16}{'bar':>5}   {'cpu ms':>7}{'× F':>6}"
          f"{'p95/p50':>9}{'of all':>8}{'statements':>12}{'kB':>8}")  # fmt: skip
    print(f"{'floor F':24}{base:8.2f}{_p95(floors, 'elapsed'):8.2f}{'':31}{base_cpu:7.2f}")
    for measure in chosen:
        if measure.name in wrong:
            print(f"{measure.name:24} WRONG ANSWER: {wrong[measure.name][:300]}", flush=True)
        else:
            _print_row(measure, answers[measure.name], base, base_cpu)


def _print_row(
    measure: measures.Measure, by_role: dict[str, list[Answer]], base: float, base_cpu: float
) -> None:
    found = _all(by_role)
    p50, cpu = _median(found, "elapsed"), _median(found, "cpu")
    slowest, role = max((_median(each, "elapsed"), role) for role, each in by_role.items())
    spread = max(_p95(each, "cpu") / _median(each, "cpu") for each in by_role.values())
    most = max(answer.statements for answer in found)
    print(f"{measure.name:24}{p50:8.2f}{_p95(found, 'elapsed'):8.2f}{p50 / base:7.1f}"
          f"{role:>10}{slowest / base:6.1f}{measure.bar:5.0f} {'  ' if slowest / base <= measure.bar else '!!'}"
          f"{cpu:7.2f}{cpu / base_cpu:6.1f}{spread:9.1f}{_p95(found, 'cpu') / cpu:8.1f}"
          f"{most:8}{'' if most <= measure.statements else '!!':4}{_median(found, 'size') / 1000:8.1f}",
          flush=True)  # fmt: skip


def _all(by_role: dict[str, list[Answer]]) -> list[Answer]:
    return [answer for each in by_role.values() for answer in each]


def _median(answers: list[Answer], what: str) -> float:
    return float(statistics.median(getattr(answer, what) for answer in answers))


def _p95(answers: list[Answer], what: str) -> float:
    values = sorted(getattr(answer, what) for answer in answers)
    return float(values[min(len(values) - 1, round(len(values) * 0.95))])


def _fact(name: str, value: float, bar: float, unit: str) -> None:
    """One figure beside its bar: at most, or with a negative bar at least."""
    is_met = bar == 0 or (value <= bar if bar > 0 else value >= -bar)
    told = (
        "" if bar == 0 else f"  {'at most' if bar > 0 else 'at least'} {abs(bar):g}{'' if is_met else '  !!'}"
    )
    print(f"{name:36} {value:8.1f} {unit}{told}", flush=True)


if __name__ == "__main__":
    main()
