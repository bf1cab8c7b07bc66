"""Lint rules for pipelines: stages, their order and the transitions between them (S2, S4, S5, S15, S113)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise

from builder.domain import journey
from builder.errors import N_
from builder.metadata.grammar import Document
from builder.metadata.lint.registry import Finding, Surroundings, rule, same_labels, twice

FEWEST_STAGES, MOST_STAGES = 4, 6
LIMITS = ("target_days", "warning_days", "breach_days")


@rule(
    "duplicate_stage_key", "pipeline", N_("Two stages have the key “%(name)s”. Give one of them another key.")
)
def duplicate_stage_key(document: Document, _: Surroundings) -> Iterable[Finding]:
    return twice((("stages", index, "key"), stage["key"]) for index, stage in enumerate(document["stages"]))


@rule("duplicate_key", "pipeline", N_("The key “%(name)s” stands here twice. Give one of them another key."))
def duplicate_key(document: Document, _: Surroundings) -> Iterator[Finding]:
    """Milestones, tasks, sub-tasks and reasons are known by their keys too."""
    yield from _twice_in(document, ("milestones",), document.get("milestones", ()))
    for outcome, reasons in document.get("reasons", {}).items():
        yield from _twice_in(document, ("reasons", outcome), reasons)
    for index, stage in enumerate(document["stages"]):
        yield from _twice_in(document, ("stages", index, "tasks"), stage.get("tasks", ()))
        for number, task in enumerate(stage.get("tasks", ())):
            yield from _twice_in(
                document, ("stages", index, "tasks", number, "subtasks"), task.get("subtasks", ())
            )


def _twice_in(_: Document, path: tuple[str | int, ...], items: Iterable[Document]) -> Iterator[Finding]:
    return twice(((*path, index, "key"), item["key"]) for index, item in enumerate(items))


@rule(
    "confusable_stage_key",
    "pipeline",
    N_("The keys “%(name)s” and “%(other)s” cannot be told apart in histories. Choose another key for one."),
)
def confusable_stage_key(document: Document, _: Surroundings) -> Iterator[Finding]:
    """A journey writes a stage as a short digest of its key; two alike would be counted as one."""
    keys = [stage["key"] for stage in document["stages"]]
    for other, key in journey.collisions(keys):
        yield ("stages", keys.index(key), "key"), {"name": key, "other": other}


@rule(
    "duplicate_stage_label",
    "pipeline",
    N_("Two stages have the same name. People cannot tell them apart."),
    "warn",
)
def duplicate_stage_label(document: Document, _: Surroundings) -> Iterator[Finding]:
    return same_labels(
        (("stages", index, "label"), stage["label"]) for index, stage in enumerate(document["stages"])
    )


@rule("no_open_stage", "pipeline", N_("The pipeline has no open stage, so nothing can enter it. Add one."))
def no_open_stage(document: Document, _: Surroundings) -> Iterator[Finding]:
    if not any(stage["kind"] == "open" for stage in document["stages"]):
        yield ("stages",), {}


@rule(
    "no_way_to_win",
    "pipeline",
    N_("No record can be won here. Add a stage of kind “won” and allow a move to it."),
)
def no_way_to_win(document: Document, _: Surroundings) -> Iterator[Finding]:
    won = {stage["key"] for stage in document["stages"] if stage["kind"] == "won"}
    has_open = any(stage["kind"] == "open" for stage in document["stages"])
    if not won or (has_open and not won & _reachable(document)):
        yield ("stages",), {}


@rule(
    "no_way_to_lose",
    "pipeline",
    N_("Nothing can be marked as lost here. Most pipelines need a stage for it."),
    "hint",
)
def no_way_to_lose(document: Document, _: Surroundings) -> Iterator[Finding]:
    if not any(stage["kind"] == "lost" for stage in document["stages"]):
        yield ("stages",), {}


@rule(
    "unreachable_stage",
    "pipeline",
    N_("No allowed move leads to “%(stage)s”. Allow one, or remove the stage."),
)
def unreachable_stage(document: Document, _: Surroundings) -> Iterator[Finding]:
    stages = document["stages"]
    won = {stage["key"] for stage in stages if stage["kind"] == "won"}
    reachable = _reachable(document)
    if not reachable or not won & reachable:
        return  # said by no_open_stage or no_way_to_win
    for index, stage in enumerate(stages):
        if stage["key"] not in reachable:
            yield ("stages", index), {"stage": stage["key"]}


def _reachable(document: Document) -> set[str]:
    """The stages that a record entering at the first open stage can come to."""
    kinds = {stage["key"]: stage["kind"] for stage in document["stages"]}
    first = next((key for key, kind in kinds.items() if kind == "open"), None)
    if first is None:
        return set()
    order = {key: position for position, key in enumerate(kinds)}
    opens = [key for key, kind in kinds.items() if kind == "open"]
    transitions = document.get("transitions", {})
    default = transitions.get("default", "any")
    allowed = {tuple(pair) for pair in transitions.get("allow", ())}
    denied = {tuple(pair) for pair in transitions.get("deny", ())}
    reached, waiting = {first}, [first]
    while waiting:
        source = waiting.pop()
        for target in kinds:
            if target in reached or (source, target) in denied:
                continue
            if (source, target) in allowed or _is_default(source, target, kinds, order, opens, default):
                reached.add(target)
                waiting.append(target)
    return reached


def _is_default(
    source: str, target: str, kinds: dict[str, str], order: dict[str, int], opens: list[str], default: str
) -> bool:
    """Whether a move is possible without being named: as ``domain.pipeline.Pipeline`` states it."""
    if kinds[source] != "open":
        return False
    if kinds[target] != "open" or default == "any":
        return True
    if default == "forward":
        return order[target] > order[source]
    return default == "next" and opens.index(target) == opens.index(source) + 1


@rule("unknown_transition_stage", "pipeline", N_("There is no stage “%(stage)s” in this pipeline."))
def unknown_transition_stage(document: Document, _: Surroundings) -> Iterator[Finding]:
    known = {stage["key"] for stage in document["stages"]}
    for word in ("allow", "deny"):
        for index, pair in enumerate(document.get("transitions", {}).get(word, ())):
            for side, key in enumerate(pair):
                if key not in known:
                    yield ("transitions", word, index, side), {"stage": key}


@rule(
    "contradictory_transition",
    "pipeline",
    N_("This move is both allowed and forbidden. Forbidden wins; remove one."),
)
def contradictory_transition(document: Document, _: Surroundings) -> Iterator[Finding]:
    transitions = document.get("transitions", {})
    denied = [list(pair) for pair in transitions.get("deny", ())]
    for index, pair in enumerate(transitions.get("allow", ())):
        if list(pair) in denied:
            yield ("transitions", "allow", index), {}


@rule("unknown_milestone", "pipeline", N_("There is no milestone “%(milestone)s”. Add it under milestones."))
def unknown_milestone(document: Document, _: Surroundings) -> Iterator[Finding]:
    known = {milestone["key"] for milestone in document.get("milestones", ())}
    for index, stage in enumerate(document["stages"]):
        if "milestone" in stage and stage["milestone"] not in known:
            yield ("stages", index, "milestone"), {"milestone": stage["milestone"]}


@rule(
    "falling_probability",
    "pipeline",
    N_("The win rate %(probability)s %% is lower than in the stage before (%(before)s %%). Is that meant?"),
    "warn",
)
def falling_probability(document: Document, _: Surroundings) -> Iterator[Finding]:
    before = 0
    for index, stage in enumerate(document["stages"]):
        if stage["kind"] != "open" or "probability" not in stage:
            continue
        if stage["probability"] < before:
            yield ("stages", index, "probability"), {"probability": stage["probability"], "before": before}
        before = stage["probability"]


@rule(
    "terminal_probability",
    "pipeline",
    N_("A stage of kind “%(kind)s” has a win rate of %(expected)s %% by its nature. Remove the other value."),
    "warn",
)
def terminal_probability(document: Document, _: Surroundings) -> Iterator[Finding]:
    for index, stage in enumerate(document["stages"]):
        expected = 100 if stage["kind"] == "won" else 0
        if stage["kind"] != "open" and stage.get("probability", expected) != expected:
            yield ("stages", index, "probability"), {"kind": stage["kind"], "expected": expected}


@rule(
    "terminal_limits",
    "pipeline",
    N_("Nothing waits in a stage that ends the process: a limit of %(days)s days never counts. Remove it."),
    "warn",
)
def terminal_limits(document: Document, _: Surroundings) -> Iterator[Finding]:
    for index, stage in enumerate(document["stages"]):
        for name in LIMITS:
            if stage["kind"] != "open" and name in stage:
                yield ("stages", index, name), {"days": stage[name]}


@rule(
    "limits_out_of_order",
    "pipeline",
    N_("A limit of %(days)s days after one of %(before)s: target, warning and breach go up in this order."),
)
def limits_out_of_order(document: Document, _: Surroundings) -> Iterator[Finding]:
    for index, stage in enumerate(document["stages"]):
        given = [name for name in LIMITS if name in stage]
        for before, name in pairwise(given):
            if stage[name] < stage[before]:
                yield ("stages", index, name), {"days": stage[name], "before": stage[before]}


@rule(
    "stage_count",
    "pipeline",
    N_(
        "%(count)s open stages: four to six core stages work best. "
        "Add what is missing or merge what belongs together."
    ),
    "hint",
)
def stage_count(document: Document, _: Surroundings) -> Iterator[Finding]:
    """S15: saving 3 or 7 stages gives a hint, not a block."""
    count = sum(stage["kind"] == "open" for stage in document["stages"])
    if count and not FEWEST_STAGES <= count <= MOST_STAGES:
        yield ("stages",), {"count": count}


@rule(
    "action_without_role",
    "pipeline",
    N_("Nobody is responsible for this action. Choose a role for it."),
    "warn",
)
def action_without_role(document: Document, _: Surroundings) -> Iterator[Finding]:
    """S113: every stage action belongs to a role; an unassigned one is warned about."""
    for index, stage in enumerate(document["stages"]):
        for number, action in enumerate(stage.get("key_actions", ())):
            if "role" not in action:
                yield ("stages", index, "key_actions", number), {}


@rule(
    "no_reasons",
    "pipeline",
    N_("People cannot say why a record ends as “%(kind)s”. Add reasons to choose from."),
    "hint",
)
def no_reasons(document: Document, _: Surroundings) -> Iterator[Finding]:
    for index, stage in enumerate(document["stages"]):
        reasons = document.get("reasons", {}).get(stage["kind"], ())
        if stage["kind"] in ("lost", "invalid") and all(reason.get("retired") for reason in reasons):
            yield ("stages", index), {"kind": stage["kind"]}
