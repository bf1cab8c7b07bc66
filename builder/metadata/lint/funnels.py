"""Lint rules for funnels over several processes (M0)."""

from __future__ import annotations

from collections.abc import Iterator

from builder.errors import N_
from builder.metadata.grammar import Document
from builder.metadata.lint.registry import Finding, Surroundings, rule, twice


@rule("funnel_unknown_pipeline", "funnel", N_("There is no pipeline “%(pipeline)s”."))
def funnel_unknown_pipeline(document: Document, around: Surroundings) -> Iterator[Finding]:
    for index, step in enumerate(document["steps"]):
        if not around.has("pipeline", step["pipeline"]):
            yield ("steps", index, "pipeline"), {"pipeline": step["pipeline"]}


@rule("funnel_unknown_stage", "funnel", N_("The pipeline “%(pipeline)s” has no stage “%(stage)s”."))
def funnel_unknown_stage(document: Document, around: Surroundings) -> Iterator[Finding]:
    for index, step in enumerate(document["steps"]):
        pipeline = around.find("pipeline", step["pipeline"])
        if pipeline and step["stage"] not in {stage["key"] for stage in pipeline["stages"]}:
            yield ("steps", index, "stage"), {"pipeline": step["pipeline"], "stage": step["stage"]}


@rule("funnel_step_twice", "funnel", N_("The stage “%(name)s” is a step of this funnel twice. Remove one."))
def funnel_step_twice(document: Document, _: Surroundings) -> Iterator[Finding]:
    for path, _values in twice(
        (("steps", index), (step["pipeline"], step["stage"])) for index, step in enumerate(document["steps"])
    ):
        yield path, {"name": document["steps"][path[1]]["stage"]}


@rule(
    "funnel_step_backward",
    "funnel",
    N_("This step comes earlier in its process than a step before it. Put the steps in its order."),
    "warn",
)
def funnel_step_backward(document: Document, around: Surroundings) -> Iterator[Finding]:
    """A funnel gets narrower: its steps of one process stand in the order of the stages."""
    reached: dict[str, int] = {}
    for index, step in enumerate(document["steps"]):
        pipeline = around.find("pipeline", step["pipeline"])
        order = [stage["key"] for stage in pipeline["stages"]] if pipeline else []
        if step["stage"] not in order:
            continue
        place = order.index(step["stage"])
        if place < reached.get(step["pipeline"], -1):
            yield ("steps", index), {}
        reached[step["pipeline"]] = max(place, reached.get(step["pipeline"], -1))


@rule(
    "funnel_unlinked",
    "funnel",
    N_("Nothing of the first step is ever converted into “%(object)s”, so this step stays empty."),
    "warn",
)
def funnel_unlinked(document: Document, around: Surroundings) -> Iterator[Finding]:
    """A unit is a first record with what conversions made of it, however far (M0)."""
    objects = [
        pipeline["object"] if (pipeline := around.find("pipeline", step["pipeline"])) else None
        for step in document["steps"]
    ]
    made = conversions(objects[0], around) if objects else set()
    for index, key in enumerate(objects):
        if key is not None and key not in made:
            yield ("steps", index), {"object": key}


def conversions(first: str | None, around: Surroundings) -> set[str]:
    """An object with all that its records are converted into, directly or over others."""
    reached, waiting = {first} - {None}, [first]
    while waiting:
        found = around.find("object", waiting.pop())
        for target in (found or {}).get("conversion", {}).get("targets", ()):
            if target["object"] not in reached:
                reached.add(target["object"])
                waiting.append(target["object"])
    return {key for key in reached if key is not None}
