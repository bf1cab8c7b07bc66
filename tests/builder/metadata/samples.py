"""Small sound documents that tests change in one place."""

from __future__ import annotations

import copy
from typing import Any

from builder.metadata.lint import Surroundings


def label(text: str) -> dict[str, str]:
    return {"en": text, "zh_Hans": f"{text}（中文）"}


def field(kind: str, text: str, **more: Any) -> dict[str, Any]:
    return {
        "x-type": kind,
        "x-label": label(text),
        **{key.replace("_", "-", 1): value for key, value in more.items()},
    }


OPTIONS = [{"key": "a", "label": label("A")}, {"key": "b", "label": label("B"), "retired": True}]

OBJECT: dict[str, Any] = {
    "grammar": 1,
    "kind": "object",
    "key": "ticket",
    "label": label("Ticket"),
    "label_plural": label("Tickets"),
    "fields": {
        "type": "object",
        "properties": {
            "title": field("text", "Title", x_role="name", x_filterable=True),
            "worth": field("money", "Worth", x_role="amount", x_filterable=True),
            "cost": field("money", "Cost"),
            "gain": field("formula", "Gain", x_formula="worth - cost"),
            "state": field("choice", "State", x_options=OPTIONS, x_filterable=True),
            "urgent": field("yes_no", "Urgent"),
            "due": field("date", "Due", x_filterable=True),
            "remark": field("long_text", "Remark"),
        },
        "required": ["title"],
        "x-sections": [
            {"key": "main", "label": label("Main"), "fields": ["title", "worth", "cost", "gain", "state"]}
        ],
        "x-rules": [
            {"effect": "show", "fields": ["remark"], "when": {"field": "urgent", "op": "eq", "value": True}}
        ],
    },
    "list": {"columns": ["title", "worth"], "sort": ["-worth"]},
    "search": ["title"],
    "duplicate_keys": ["title"],
}

FEEDBACK: dict[str, Any] = {
    "grammar": 1,
    "kind": "feedback",
    "key": "report",
    "label": label("Report"),
    "object": "ticket",
    "fields": {
        "type": "object",
        "properties": {"hours": field("decimal", "Hours"), "done": field("yes_no", "Done")},
        "required": ["hours"],
    },
}


def _stage(key: str, kind: str = "open", **more: Any) -> dict[str, Any]:
    return {"key": key, "label": label(key.title()), "kind": kind, **more}


PIPELINE: dict[str, Any] = {
    "grammar": 1,
    "kind": "pipeline",
    "key": "flow",
    "label": label("Flow"),
    "object": "ticket",
    "milestones": [{"key": "early", "label": label("Early")}],
    "stages": [
        _stage(
            "fresh",
            milestone="early",
            probability=10,
            key_actions=[{"label": label("Call"), "role": "agent"}],
            gate={
                "leave": {
                    "required_fields": ["worth"],
                    "conditions": [
                        {
                            "when": {"field": "worth", "op": "gt", "value": 0},
                            "message": label("Enter a worth."),
                        }
                    ],
                }
            },
        ),
        _stage(
            "looked_at",
            probability=30,
            feedback="report",
            marker={"label": label("Seen")},
            tasks=[
                {
                    "key": "look",
                    "label": label("Look"),
                    "subtasks": [{"key": "twice", "label": label("Twice")}],
                }
            ],
            gate={
                "leave": {
                    "marker": "warn",
                    "conditions": [
                        {
                            "when": {"field": "feedback.hours", "op": "ge", "value": 1},
                            "message": label("Look longer."),
                        }
                    ],
                }
            },
        ),
        _stage("offered", probability=50),
        _stage("agreed", probability=90),
        _stage("yes", "won"),
        _stage("no", "lost"),
        _stage("never", "invalid"),
    ],
    "transitions": {"default": "any", "allow": [["no", "fresh"]], "deny": [["fresh", "yes"]]},
    "reasons": {
        "lost": [{"key": "dear", "label": label("Dear")}],
        "invalid": [{"key": "fake", "label": label("Fake")}],
    },
}

VIEW: dict[str, Any] = {
    "grammar": 1,
    "kind": "view",
    "key": "mine",
    "label": label("Mine"),
    "object": "ticket",
    "layout": "list",
    "columns": ["title", "record.stage"],
    "sort": ["-worth"],
    "pipeline": "flow",
    "filter": {
        "all": [{"field": "record.owner", "op": "is_me"}, {"field": "state", "op": "in", "value": ["a"]}]
    },
}

FUNNEL: dict[str, Any] = {
    "grammar": 1,
    "kind": "funnel",
    "key": "narrow",
    "label": label("Narrow"),
    "unit": "record",
    "steps": [{"pipeline": "flow", "stage": "fresh"}, {"pipeline": "flow", "stage": "yes"}],
}

ROLE: dict[str, Any] = {
    "grammar": 1,
    "kind": "role",
    "key": "agent",
    "label": label("Agent"),
    "rights": ["move"],
    "visibility": "own",
}

READER = {**ROLE, "key": "reader", "label": label("Reader"), "rights": ["insights.view"]}

ALL = (OBJECT, FEEDBACK, PIPELINE, VIEW, FUNNEL, ROLE, READER)

PACK: dict[str, Any] = {
    "grammar": 1,
    "kind": "pack",
    "key": "tiny",
    "label": label("Tiny"),
    "version": "1.0.0",
    "locales": ["en", "zh_Hans"],
    "objects": [OBJECT],
    "feedback": [FEEDBACK],
    "pipelines": [PIPELINE],
    "views": [VIEW],
    "funnels": [FUNNEL],
    "roles": [ROLE, READER],
}


def changed(document: dict[str, Any], *path: Any, to: Any) -> dict[str, Any]:
    """A deep copy with one place set to ``to``; lists grow by one when the index is their length."""
    result = copy.deepcopy(document)
    inner: Any = result
    for step in path[:-1]:
        inner = inner.setdefault(step, {}) if isinstance(inner, dict) else inner[step]
    if isinstance(inner, list) and path[-1] == len(inner):
        inner.append(to)
    else:
        inner[path[-1]] = to
    return result


def without(document: dict[str, Any], *path: Any) -> dict[str, Any]:
    result = copy.deepcopy(document)
    inner: Any = result
    for step in path[:-1]:
        inner = inner[step]
    del inner[path[-1]]
    return result


def surroundings() -> Surroundings:
    return Surroundings.of(ALL)
