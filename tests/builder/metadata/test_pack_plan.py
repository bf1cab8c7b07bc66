"""What a pack would make of each definition (B9): every kind of document, and any edits on both sides."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builder.metadata import packs
from builder.metadata.merging import found_at, merge
from builder.metadata.pack_parts import Name, by_name
from builder.metadata.pack_plan import Decisions, Part, Plan, Undecided, plan_of, recorded
from tests import factories

HEAD = {
    "grammar": 1,
    "kind": "pack",
    "key": "law",
    "label": {"en": "Law"},
    "version": "1.0.0",
    "locales": ["en"],
}
BASE = by_name(packs.documents(packs.assemble(HEAD, factories.DOCUMENTS)))
OBJECT, ROLE, PIPELINE = ("object", "client"), ("role", "rep"), ("pipeline", "free")


def label(document: dict[str, Any], text: str) -> dict[str, Any]:
    return {**document, "label": {"en": text}}


def with_(documents: dict[Name, Any], **parts: Any) -> dict[Name, Any]:
    """The documents with ``kind__key`` replaced, or left out by ``None``."""
    changed = {**documents, **{tuple(name.split("__")): text for name, text in parts.items()}}  # type: ignore[misc]
    return {name: text for name, text in changed.items() if text is not None}


def part(plan: Plan, name: Name) -> Part:
    return next(each for each in plan.parts if each.name == name)


@pytest.mark.parametrize(
    ("base", "ours", "theirs", "state", "result"),
    [
        (None, None, "t", "new", "t"),
        (None, "t", "t", "same", "t"),
        (None, "o", "t", "collides", None),
        ("b", "b", "t", "newer", "t"),
        ("b", "o", "b", "own", "o"),
        ("b", "o", "t", "contradicts", None),
        ("b", "b", None, "leaves", "gone"),
        ("b", "o", None, "torn", None),
        ("b", None, "t", "torn", None),
        ("b", None, "b", "removed", "gone"),
    ],
)
def test_each_state_is_told_and_only_what_is_in_doubt_asks(
    base: str | None, ours: str | None, theirs: str | None, state: str, result: str | None
) -> None:
    texts = {None: None, **{name: label(BASE[OBJECT], name) for name in "bot"}}
    one = Part(OBJECT, texts[base], texts[ours], texts[theirs])
    assert one.state == state
    assert bool(one.open_questions(Decisions())) is (result is None)
    if result is not None:
        assert one.result(Decisions()) == texts.get(result)
    for side in ("ours", "theirs"):
        # one answer for everything settles it, one way or the other
        decisions = Decisions(otherwise=side, prefers=side)
        assert one.open_questions(decisions) == []
        if result is None:
            assert one.result(decisions) == texts[ours if side == "ours" else theirs]


def test_an_install_without_collisions_brings_exactly_the_pack_and_remembers_its_texts() -> None:
    done = plan_of(HEAD, BASE, {}).settle(Decisions())
    assert by_name(done.changed) == BASE
    digests, out = recorded(done.installed)
    assert {name: done.bases[digest] for name, digest in digests.items()} == BASE
    assert (done.gone, out) == ((), frozenset())


def test_what_is_skipped_or_not_wanted_is_left_out_and_not_asked_again() -> None:
    ours = {OBJECT: label(BASE[OBJECT], "Mine")}
    plan = plan_of(HEAD, BASE, ours, left_out=[ROLE])
    done = plan.settle(Decisions({OBJECT: "skip"}))
    assert recorded(done.installed)[1] == {ROLE, OBJECT}
    assert {OBJECT, ROLE}.isdisjoint(by_name(done.changed))


def test_keeping_ours_with_what_it_lacks_adds_and_takes_nothing_away() -> None:
    theirs = copy.deepcopy(BASE[OBJECT])
    theirs["fields"]["properties"]["extra"] = factories.text_field("Extra")
    mine = label(BASE[OBJECT], "Mine")
    one = Part(OBJECT, None, mine, theirs)
    made = one.result(Decisions({OBJECT: "both"}))
    assert made is not None
    assert made["label"] == {"en": "Mine"}
    assert made["fields"]["properties"] == theirs["fields"]["properties"]


def test_an_upgrade_asks_for_each_contradiction_and_follows_each_answer() -> None:
    def stages(*labels: str) -> dict[str, Any]:
        document = copy.deepcopy(BASE[PIPELINE])
        for stage, text in zip(document["stages"], labels, strict=False):
            stage["label"] = {"en": text}
        return document

    plan = plan_of(
        HEAD, {PIPELINE: stages("T1", "T2")}, {PIPELINE: stages("O1", "O2")}, {PIPELINE: stages("B1", "B2")}
    )
    with pytest.raises(Undecided) as refused:
        plan.settle(Decisions())
    marks = [problem.place.partition("#")[2] for problem in refused.value.problems]
    assert [found_at(stages("O1", "O2"), mark) for mark in marks] == [
        "/stages/0/label/en",
        "/stages/1/label/en",
    ]
    done = plan.settle(Decisions(places={PIPELINE: {marks[0]: "ours", marks[1]: "theirs"}}))
    assert [stage["label"]["en"] for stage in done.changed[0]["stages"][:2]] == ["O1", "T2"]


def test_marks_stay_the_same_whatever_is_decided_elsewhere() -> None:
    base = {"stages": [{"key": key, "probability": 1} for key in "abc"]}
    ours = {"stages": [{"key": key, "probability": 2} for key in "abc"]}
    theirs = {"stages": [{"key": key, "probability": 3} for key in "bc"]}
    marks = [each.mark for each in merge(base, ours, theirs).contradictions]
    assert marks == ["/stages/a", "/stages/b/probability", "/stages/c/probability"]
    made = merge(base, ours, theirs, decisions={marks[0]: "theirs", marks[2]: "theirs"}).document
    assert made == {"stages": [{"key": "b", "probability": 2}, {"key": "c", "probability": 3}]}


def test_a_condition_is_one_thing_and_never_mixed() -> None:
    def rule(**condition: Any) -> dict[str, Any]:
        return {"filter": {"field": "amount", "op": "ge", "value": 1, **condition}}

    merged = merge(rule(), rule(value=9), rule(op="lt"))
    assert [each.mark for each in merged.contradictions] == ["/filter"]
    assert merged.document == rule(value=9)


# For each kind: an edit of ours, one of theirs that goes together with it, and one that does not.
EDITS: dict[str, tuple[str, Any, Any, Any]] = {
    "object": ("client", ["fields", "properties", "sector", "x-label", "en"], ["icon"], "star"),
    "pipeline": ("free", ["stages", 0, "label", "en"], ["average_cycle_days"], 40),
    "role": ("rep", ["label", "en"], ["description"], {"en": "Sells"}),
    "feedback": ("intake", ["label", "en"], ["label", "zh_Hans"], "登记"),
    "view": ("mine", ["label", "en"], ["position"], 3),
    "funnel": ("way", ["steps", 0, "label", "en"], ["unit"], "customer"),
}
OTHERS = {
    ("feedback", "intake"): {"grammar": 1, "kind": "feedback", "key": "intake", "label": {"en": "Intake"}, "object": "matter", "fields": {"type": "object", "properties": {}}},
    ("view", "mine"): {"grammar": 1, "kind": "view", "key": "mine", "label": {"en": "Mine"}, "object": "matter", "layout": "list"},
    ("funnel", "way"): {"grammar": 1, "kind": "funnel", "key": "way", "label": {"en": "Way"}, "steps": [{"pipeline": "free", "stage": "a", "label": {"en": "A"}}]},
}  # fmt: skip


def edited(document: dict[str, Any], path: list[Any], value: Any) -> dict[str, Any]:
    made = copy.deepcopy(document)
    place = made
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    return made


@pytest.mark.parametrize("kind", EDITS)
def test_both_sides_of_each_kind_come_together_and_contradictions_are_one(kind: str) -> None:
    key, mine, other, value = EDITS[kind]
    base = {**BASE, **OTHERS}[kind, key]
    ours, theirs = edited(base, mine, "Ours"), edited(base, other, value)
    one = Part((kind, key), base, ours, theirs)
    assert one.state == "joined"
    assert one.result(Decisions()) == edited(ours, other, value)
    torn = Part((kind, key), base, ours, edited(base, mine, "Theirs"))
    assert [len(torn.contradictions), torn.state] == [1, "contradicts"]
    assert torn.result(Decisions(prefers="theirs")) == torn.theirs
    assert torn.result(Decisions(prefers="ours")) == ours


TEXTS = st.sampled_from(["b", "x", "y"])
SIDES = st.fixed_dictionaries(
    {name: st.none() | TEXTS for name in ("object__client", "role__rep", "pipeline__free")}
)


def side(texts: dict[str, str | None]) -> dict[Name, Any]:
    found = {
        name: None if text is None else label(BASE[tuple(name.split("__"))], text)
        for name, text in texts.items()
    }  # type: ignore[index]
    return with_(BASE, **found)


@settings(max_examples=20, deadline=None)
@given(SIDES, SIDES, SIDES)
def test_any_upgrade_keeps_what_was_changed_here_and_brings_the_rest(
    base: Any, ours: Any, theirs: Any
) -> None:
    before, mine, other = side(base), side(ours), side(theirs)

    def after(plan: Plan, decisions: Decisions) -> dict[Name, Any]:
        done = plan.settle(decisions)
        return {
            name: text for name, text in {**mine, **by_name(done.changed)}.items() if name not in done.gone
        }

    if mine == before:  # nothing was changed here: exactly the new pack
        assert after(plan_of(HEAD, other, mine, before), Decisions()) == other
    assert after(plan_of(HEAD, before, mine, before), Decisions(otherwise="ours")) == mine
    kept = after(plan_of(HEAD, other, mine, before), Decisions(prefers="ours", otherwise="ours"))
    for name, text in mine.items():
        if text != before.get(name):
            assert kept[name] == text
    followed = after(plan_of(HEAD, other, mine, before), Decisions(prefers="theirs", otherwise="theirs"))
    for name, text in other.items():
        if text != before.get(name):
            assert followed[name] == text
