"""History brought in from another system: the pipeline that it needs, and each record's visits (part 9).

Two shapes of file. *Rows*: one row a record, with its present stage, when it entered its first known stage
and when it closed. *Log*: one row a visit.

What a row of the first shape tells of a path A → B → won, lost:

1. Open stages before the present one in the order were passed at unknown times: they count for reach, not
   for time.
2. ``at`` is when the record entered its first known stage: its present stage, or, when it is closed, the last
   open one, where it was until ``closed``.
3. ``closed`` is when it entered its terminal stage; a record that is open has not closed, whatever the column
   says.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from builder.domain.pipeline import Pipeline, Stage
from builder.errors import N_, Conflict, Invalid
from builder.exchange.new_fields import in_language, slug

_OPEN_COLORS = ("azure", "blue", "indigo", "purple", "cyan", "teal")
_KIND_COLORS = {"won": "green", "lost": "red", "invalid": "gray"}
# For a log that names no stage of a kind: a pipeline needs a way to win, and people a way to lose.
_ADDED = {
    "won": {"en": "Won", "zh_Hans": "赢单"},
    "lost": {"en": "Lost", "zh_Hans": "输单"},
    "invalid": {"en": "Invalid", "zh_Hans": "无效"},
}


CLOSED_FIRST = N_(
    "It closed before it entered its first stage. Choose other columns for these times, or none."
)


@dataclass(frozen=True, slots=True)
class StageNames:
    """The texts of a file that name stages, by kind; ``order`` holds the open ones in order.

    ``needs_invalid``: something ended so in the file though no stage is called so.
    """

    order: tuple[str, ...]
    won: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()
    invalid: tuple[str, ...] = ()
    needs_invalid: bool = False

    def closing(self) -> Iterable[tuple[str, str]]:
        """(text, kind) of every terminal stage."""
        for kind in ("won", "lost", "invalid"):
            for text in getattr(self, kind):
                yield text, kind

    @property
    def all(self) -> tuple[str, ...]:
        return (*self.order, *(text for text, _ in self.closing()))


@dataclass(frozen=True, slots=True)
class Visit:
    """A record entered ``stage_key`` ``at`` (None: unknown), brought by ``user``, worth ``amount`` then."""

    stage_key: str
    at: datetime | None
    user: str = ""
    amount: str | None = None


def folded(text: str) -> str:
    """Stage texts are compared without regard to case and surrounding space."""
    return " ".join(text.split()).casefold()


def pipeline_document(name: str, object_key: str, names: StageNames, taken: Iterable[str]) -> dict[str, Any]:
    """A pipeline whose stages are those of the file, any of which may follow any other.

    Errors: Invalid when a stage is named twice or there is no open one.
    """
    if not names.order:
        raise Invalid(
            N_("A pipeline needs at least one open stage: every stage of the file is a closing one.")
        )
    seen: set[str] = set()
    for text in names.all:
        if folded(text) in seen:
            raise Invalid(N_("The stage “%(stage)s” is named twice."), stage=text)
        seen.add(folded(text))
    stages: list[dict[str, Any]] = []
    keys: set[str] = set()
    for position, text in enumerate(names.order):
        stages.append(
            {
                **_stage(text, keys, "open"),
                "color": _OPEN_COLORS[position % len(_OPEN_COLORS)],
                "probability": round(90 * (position + 1) / (len(names.order) + 1)),
            }
        )
    for text, kind in names.closing():
        stages.append({**_stage(text, keys, kind), "color": _KIND_COLORS[kind]})
    for kind, label in _ADDED.items():
        if not getattr(names, kind) and (kind != "invalid" or names.needs_invalid):
            key = slug(label["en"], keys, "stage")
            keys.add(key)
            stages.append({"key": key, "label": label, "kind": kind, "color": _KIND_COLORS[kind]})
    return {
        "grammar": 1,
        "kind": "pipeline",
        "key": slug(name, set(taken), "pipeline"),
        "label": in_language(name),
        "object": object_key,
        "stages": stages,
        "transitions": {"default": "any"},
    }


def _stage(text: str, keys: set[str], kind: str) -> dict[str, Any]:
    key = slug(text, keys, "stage")
    keys.add(key)
    return {"key": key, "label": in_language(" ".join(text.split())), "kind": kind}


def named_stages(pipeline: Pipeline) -> dict[str, str]:
    """Stage keys by what stages are called: key and label in any language, folded."""
    known: dict[str, str] = {}
    for stage in pipeline.stages:
        for text in (stage.key, *(label for _, label in stage.label.translations)):
            known.setdefault(folded(text), stage.key)
    return known


def stage_map(
    pipeline: Pipeline, texts: Iterable[str], given: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Which stage each text of the file means: as ``given`` says, else by key or label in any language.

    Errors: Conflict naming the texts that the pipeline has no stage for.
    """
    known = named_stages(pipeline)
    for text, key in (given or {}).items():
        if key in pipeline.by_key:
            known[folded(text)] = key
    wanted = {folded(text): text for text in texts if text.strip()}
    missing = [text for key, text in wanted.items() if key not in known]
    if missing:
        raise Conflict(
            N_("The pipeline %(pipeline)s has no stage for: %(stages)s."),
            pipeline=pipeline.label.text(),
            stages=", ".join(missing[:10]),
        )
    return {key: known[key] for key in wanted}


def visits_of_row(
    pipeline: Pipeline,
    stage: Stage,
    at: datetime | None,
    closed: datetime | None,
    amount: str | None = None,
    last_open: Stage | None = None,
) -> tuple[Visit, ...]:
    """The visits that one row of the first shape tells of (rules at the head of this module).

    ``last_open``: the open stage that a closed record was in last, where the file tells it.

    Errors: Invalid when the record would have closed before it began.
    """
    if stage.is_open:
        before = [known.key for known in pipeline.open_stages if known.position < stage.position]
        return (*(Visit(key, None) for key in before), Visit(stage.key, at, amount=amount))
    if at is not None and closed is not None and closed < at:
        raise Invalid(CLOSED_FIRST)
    opened = [
        known.key
        for known in pipeline.open_stages
        if last_open is None or known.position <= last_open.position
    ]
    return (
        *(Visit(key, None) for key in opened[:-1]),
        Visit(opened[-1], at),
        Visit(stage.key, closed, amount=amount),
    )


def usual_order(paths: Iterable[Sequence[str]]) -> tuple[str, ...]:
    """Stages in the order in which records first come to them, on average over all paths.

    A stage's place in a path is the share of other stages before its first visit; ties follow the file.
    """
    places: defaultdict[str, list[float]] = defaultdict(list)
    for path in paths:
        distinct = list(dict.fromkeys(path))
        for index, stage in enumerate(distinct):
            places[stage].append(index / max(len(distinct) - 1, 1))
    return tuple(sorted(places, key=lambda stage: sum(places[stage]) / len(places[stage])))


def display_names(counts: Mapping[str, int]) -> tuple[str, ...]:
    """One spelling per stage, the one seen first, where a file writes it in several ways."""
    return tuple({folded(text): text for text in reversed(list(counts))}.values())[::-1]
