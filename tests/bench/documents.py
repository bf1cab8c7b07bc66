"""The definitions of the measured company: an opportunity of 30 fields, a process of seven open stages."""

from __future__ import annotations

from typing import Any

from builder.domain.permissions import RIGHTS

Document = dict[str, Any]

OBJECT = "opportunity"
ACCOUNT = "account"
PIPELINE = "sales"
# Seven columns of cards on the board; won and lost stand folded beside them.
OPEN_STAGES = ("seen", "heard", "met", "shown", "offered", "haggled", "agreed")
STAGES = (*OPEN_STAGES, "won", "lost")
OPTIONS = {
    "origin": ("web", "fair", "mail", "phone", "partner"),
    "segment": ("small", "middle", "large"),
    "region": ("north", "east", "south", "west", "centre", "abroad"),
    "line": ("tools", "parts", "service", "training"),
    "urgency": ("low", "normal", "high"),
}
WORDS = (
    "solar",
    "relay",
    "northern",
    "supply",
    "harbour",
    "granite",
    "meadow",
    "华为",
    "李明",
    "云南",
    "钢铁",
)


def _field(type_key: str, label: str, **keys: Any) -> Document:
    return {"x-type": type_key, "x-label": {"en": label}, **keys}


def _custom(type_key: str, label: str, **keys: Any) -> Document:
    return _field(type_key, label, **{"x-filterable": True}, **keys)


def _choice(key: str) -> Document:
    options = [{"key": option, "label": {"en": option.title()}} for option in OPTIONS[key]]
    return _custom("choice", key.title(), **{"x-options": options})


# Twelve fields that the business invented and filters by.
CUSTOM: Document = {
    **{key: _choice(key) for key in OPTIONS},
    "rival": _custom("text", "Rival"),
    "city": _custom("text", "City"),
    "seats": _custom("integer", "Seats"),
    "discount": _custom("percent", "Discount"),
    "budget": _custom("money", "Budget"),
    "demo_on": _custom("date", "Shown on"),
    "is_renewal": _custom("yes_no", "Renewal"),
}
ROLES: Document = {
    "title": _custom("text", "Title", **{"x-role": "name"}),
    "account": _custom("reference", "Account", **{"x-role": "account", "x-target": ACCOUNT}),
    "amount": _custom("money", "Amount", **{"x-role": "amount"}),
    "due": _custom("date", "Expected close", **{"x-role": "expected_close"}),
    "holder": _custom("user", "Holder", **{"x-role": "owner"}),
}
PLAIN: Document = {
    "need": _field("long_text", "Need"),
    "plan": _field("long_text", "Plan"),
    "risk": _field("long_text", "Risk"),
    "mail": _field("email", "E-mail"),
    "phone": _field("phone", "Phone"),
    "site": _field("url", "Web site"),
    "order_number": _field("text", "Order number"),
    "delivery": _field("text", "Delivery"),
    "warranty": _field("integer", "Warranty, months"),
    "weight": _field("decimal", "Weight"),
    "called_at": _field("datetime", "Called at"),
    "is_public": _field("yes_no", "Public tender"),
    "net": _field(
        "formula", "Net of discount", **{"x-formula": "amount * (1 - discount / 100)", "x-scale": 2}
    ),
}
LIST_COLUMNS = ("title", "account", "amount", "due", "holder", "origin", "region", "seats")

OPPORTUNITY: Document = {
    "grammar": 1,
    "kind": "object",
    "key": OBJECT,
    "label": {"en": "Opportunity"},
    "label_plural": {"en": "Opportunities"},
    "search": ["title", "city"],
    "list": {"columns": list(LIST_COLUMNS), "sort": ["-record.updated_at"]},
    "fields": {
        "type": "object",
        "required": ["title"],
        "properties": {**ROLES, **CUSTOM, **PLAIN},
        "x-sections": [
            {"key": "main", "label": {"en": "Main"}, "columns": 2, "fields": [*ROLES, *CUSTOM]},
            {"key": "more", "label": {"en": "More"}, "columns": 2, "fields": list(PLAIN)},
        ],
        "x-rules": [
            {
                "effect": "require",
                "fields": ["rival"],
                "when": {"field": "urgency", "op": "eq", "value": "high"},
            }
        ],
    },
}
CLIENT: Document = {
    "grammar": 1,
    "kind": "object",
    "key": ACCOUNT,
    "label": {"en": "Account"},
    "label_plural": {"en": "Accounts"},
    "search": ["title"],
    "fields": {
        "type": "object",
        "required": ["title"],
        "properties": {
            "title": _custom("text", "Title", **{"x-role": "name"}),
            "city": _custom("text", "City"),
        },
    },
}
TALK: Document = {
    "grammar": 1,
    "kind": "feedback",
    "key": "talk",
    "label": {"en": "Talk"},
    "object": OBJECT,
    "fields": {
        "type": "object",
        "required": ["mood"],
        "properties": {"mood": _field("text", "Mood"), "next_step": _field("text", "Next step")},
    },
}


def _stage(key: str, probability: int, kind: str = "open", **more: Any) -> Document:
    return {"key": key, "label": {"en": key.title()}, "kind": kind, "probability": probability, **more}


_GATE: Document = {
    "leave": {
        "required_fields": ["amount", "account", "budget"],
        "feedback": "block",
        "tasks": "warn",
        "conditions": [
            {
                "when": {"field": "amount", "op": "gt", "value": "0"},
                "message": {"en": "State what it is worth."},
                "severity": "block",
            }
        ],
    }
}
_TASKS = [{"key": "call", "label": {"en": "Call"}, "severity": "warn"}]
SALES: Document = {
    "grammar": 1,
    "kind": "pipeline",
    "key": PIPELINE,
    "label": {"en": "Sales"},
    "object": OBJECT,
    "stages": [
        *(
            _stage(key, 12 * number + 10, feedback="talk", gate=_GATE, tasks=_TASKS)
            for number, key in enumerate(OPEN_STAGES)
        ),
        _stage("won", 100, "won"),
        _stage("lost", 0, "lost"),
    ],
    "transitions": {"default": "any"},
    "reasons": {
        "lost": [{"key": "price", "label": {"en": "Price"}}, {"key": "timing", "label": {"en": "Timing"}}]
    },
}


def _role(key: str, rights: tuple[str, ...], visibility: str) -> Document:
    label = {"en": key.title()}
    shown = {"rights": list(rights), "visibility": visibility}
    return {"grammar": 1, "kind": "role", "key": key, "label": label, **shown}


_REP = ("record.create", "record.edit", "move", "insights.view")
DOCUMENTS: tuple[Document, ...] = (
    CLIENT,
    OPPORTUNITY,
    TALK,
    SALES,
    _role("admin", tuple(RIGHTS), "all"),
    _role("manager", (*_REP, "record.reassign", "move.override"), "subtree"),
    _role("rep", _REP, "own"),
)
