"""What the Studio costs at full size: its designers, impact over all records, lint, publishing (issue 4).

The process that is designed has twelve stages and its object 120 fields; what is published requires a field
anew, takes a stage out of the process that all records are in, and brings the process with twelve stages.
Bars are times the floor of the same run.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any

from builder.metadata.documents import check
from builder.metadata.lint import Surroundings, lint
from builder.services import drafts
from tests.bench import documents as company
from tests.bench.client import form_fields
from tests.bench.databases import Database
from tests.bench.measures import ROOT, Visitor, WrongAnswerError, floor
from tests.bench.world import work

WIDE, LONG = "wide", "long"
FIELDS, STAGES = 120, 12
ROUNDS = 15


@dataclass(frozen=True)
class Figure:
    """``value`` in milliseconds, ``floors``: the same in times the floor, ``bar``: what it may be at most."""

    name: str
    value: float
    floors: float
    bar: float
    statements: int = 0


def _wide() -> company.Document:
    kinds = ("text", "integer", "date", "yes_no", "decimal", "email")
    fields: company.Document = {
        "title": {"x-type": "text", "x-label": {"en": "Title"}, "x-role": "name"},
        **{
            f"f{number:03}": {"x-type": kinds[number % 6], "x-label": {"en": f"Field {number}"}}
            for number in range(1, FIELDS)
        },
    }
    names = list(fields)
    sections = [
        {"key": f"part{at}", "label": {"en": f"Part {at}"}, "columns": 2, "fields": names[at : at + 20]}
        for at in range(0, FIELDS, 20)
    ]
    form = {"type": "object", "required": ["title"], "properties": fields, "x-sections": sections}
    return {**company.CLIENT, "key": WIDE, "label": {"en": "Wide"}, "label_plural": {"en": "Wides"},
            "search": ["title"], "fields": form}  # fmt: skip


def _long() -> company.Document:
    first = company.SALES["stages"][0]
    opens = [
        {
            **{key: value for key, value in first.items() if key not in ("feedback", "gate")},
            "key": f"s{number}",
            "label": {"en": f"Stage {number}"},
            "probability": number * 9,
            "target_days": 5,
            "breach_days": 20,
        }
        for number in range(STAGES - 2)
    ]
    stages = [*opens, *company.SALES["stages"][-2:]]
    return {**company.SALES, "key": LONG, "label": {"en": "Long"}, "object": WIDE, "stages": stages}


def _draft(database: Database) -> None:
    """Drafts of all that is measured, beside what is live."""
    required = [*company.OPPORTUNITY["fields"]["required"], "plan", "delivery"]
    opportunity = {**company.OPPORTUNITY, "fields": {**company.OPPORTUNITY["fields"], "required": required}}
    kept = [stage for stage in company.SALES["stages"] if stage["key"] != "haggled"]
    with work(database) as uow:
        for document in (_wide(), _long(), opportunity, {**company.SALES, "stages": kept}):
            if problems := check(document["kind"], document):
                raise SystemExit(f"the drafts of the bench are not sound: {problems[0]}")
            drafts.save_draft(uow, document)
        uow.commit()


def studio_figures(database: Database, admin: Visitor) -> list[Figure]:
    """All figures of the Studio; afterwards the drafts are published."""
    _draft(database)
    process = f"{ROOT}/studio/processes/{LONG}"
    changes = f"{ROOT}/studio/changes"
    found = [
        _page(admin, "process designer, 12 stages", process, "Stage 9", 75),
        _page(admin, "stage of it", f"{process}/stages/s5", "Stage 5", 75),
        _page(admin, "form designer, 120 fields", f"{ROOT}/studio/objects/{WIDE}/fields", "Field 119", 75),
        _keystroke(admin, f"{ROOT}/studio/objects/{WIDE}/fields"),
        _page(admin, "impact of four drafts", changes, "The stage “Haggled” goes", 3750, rounds=5),
        _lint(admin),
        _publish(admin, changes),
    ]
    _check(admin)
    return found


def _page(admin: Visitor, name: str, path: str, text: str, bar: float, rounds: int = ROUNDS) -> Figure:
    answers = []

    def ask() -> float:
        answer = admin.browser.get(path)
        if answer.status != 200 or text not in answer.text:
            raise WrongAnswerError(f"{name}: {answer.status} {answer.text[:2000]}")
        answers.append(answer)
        return answer.elapsed

    figure = _measured(admin, name, ask, bar, rounds)
    return Figure(figure.name, figure.value, figure.floors, bar, max(each.statements for each in answers))


def _keystroke(admin: Visitor, page: str) -> Figure:
    """The server's part of a property that is changed, until the preview holds it."""
    address, number = f"{page}/f007", 0

    def ask() -> float:
        nonlocal number
        number += 1
        found = form_fields(admin.browser.get(f"{page}?field=f007"), address)
        sent = [(name, f"Name {number}" if name == "label-en" else text) for name, text in found]
        answer = admin.browser.post(address, sent, {"HX-Request": "true"})
        if answer.status != 200 or f"Name {number}" not in answer.text.partition("preview-form")[2]:
            raise WrongAnswerError(f"keystroke: {answer.status} {answer.text[:2000]}")
        return answer.elapsed

    return _measured(admin, "keystroke to preview, 120 fields", ask, 187, ROUNDS)


def _measured(admin: Visitor, name: str, ask: Callable[[], float], bar: float, rounds: int) -> Figure:
    """The median beside that of the floor, asked for in turn; the first rounds do not count."""
    chance = Random(3)
    pairs = [(floor(admin, chance).elapsed, ask()) for _ in range(rounds + 3)][3:]
    base, value = (statistics.median(each) for each in zip(*pairs, strict=True))
    return Figure(name, value, value / base, bar)


def _lint(admin: Visitor) -> Figure:
    """Both big documents among all others, as they are linted with every edit."""
    documents: list[dict[str, Any]] = [*company.DOCUMENTS, _wide(), _long()]
    around = Surroundings.of(documents)

    def ask() -> float:
        began = time.perf_counter()
        for document in documents[-2:]:
            lint(document["kind"], document, around)
        return (time.perf_counter() - began) * 1000

    return _measured(admin, "lint, 120 fields and 12 stages", ask, 125, ROUNDS)


def _publish(admin: Visitor, changes: str) -> Figure:
    """Once; what is measured is the answer, records come over in the background."""
    chance = Random(3)
    base = statistics.median(floor(admin, chance).elapsed for _ in range(9))
    sent = [pair for pair in form_fields(admin.browser.get(changes), "/studio/changes") if pair[0] == "seen"]
    answer = admin.browser.post(changes, sent)
    if answer.status != 303:
        raise WrongAnswerError(f"publish: {answer.status} {answer.text[:3000]}")
    return Figure("publish four drafts", answer.elapsed, answer.elapsed / base, 1250, answer.statements)


def _check(admin: Visitor) -> None:
    answer = admin.browser.get(f"{ROOT}/studio/processes/{LONG}/road-map")
    if answer.status != 200 or "Stage 9" not in answer.text:
        raise WrongAnswerError(f"the process was not published: {answer.status}")
