"""What ``demo.json`` of a pack says: the people of the company, its stock of records, and how work flows."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from builder.errors import N_, Invalid
from builder.metadata.grammar import Document
from builder.metadata.packs import DEMO_FILE
from builder.services.demo.derived import completed

UNREADABLE = N_("The demo plan “%(path)s” cannot be read: %(reason)s")


@dataclass(frozen=True)
class DemoPerson:
    """``department`` and ``manager`` are keys in the plan; ``weight``: share of the work (0: none)."""

    key: str
    name: str
    email: str
    role: str
    department: str | None = None
    manager: str | None = None
    weight: float = 0
    skill: float = 1.0


@dataclass(frozen=True)
class Stock:
    """``count`` records of an object in no pipeline, there from the beginning, or (``is_late``) made at the
    end, when there is something that they can refer to.
    """

    object: str
    count: int
    is_late: bool = False


@dataclass(frozen=True)
class Making:
    """A record of another object that is made when one of a flow enters ``stage``.

    ``map``: field → where its value comes from: a field of the record, ``@self`` (the record), ``@today``, or
    ``=text`` for the text itself. ``cases``: maps of which one is drawn. ``again``: (yes/no field, field):
    whether there was one with the same value before. ``settles``: (field, value when the record goes on,
    value when it ends).
    """

    stage: str
    object: str
    map: Mapping[str, str]
    cases: tuple[Mapping[str, str], ...] = ()
    again: tuple[str, str] | None = None
    settles: tuple[str, str, str] | None = None


Source = str | int | bool
"""Where a value comes from: as in ``Making.map``; ``@now``, ``@in:7`` (the day in seven days); a number or
yes/no is meant as it stands.
"""


@dataclass(frozen=True)
class Contacts:
    """How a record of a flow is followed up while it is open: a record of ``object`` every so many days (low,
    high), by whoever has it under way. ``cases``: (stages, or none for all; what is filled in beside
    ``map``); each is drawn once for a record.
    """

    object: str
    every_days: tuple[float, float]
    map: Mapping[str, Source]
    cases: tuple[tuple[tuple[str, ...], Mapping[str, Source]], ...]


@dataclass(frozen=True)
class Flow:
    """Records that come in over time and run through a pipeline.

    ``per_month``: new ones a month at the start and at the end; ``dwell_days`` (low, high) per stage;
    ``advance``: chance per stage to go on rather than to end; ``back``: chance to go back a stage instead;
    ``invalid``: share of the ends that are invalid rather than lost. ``converts``: the record is converted
    when it would win. ``then``: (object reference field, pipeline) that the won record's customer enters.
    ``makes``: what else comes of it on the way. ``contacts``: how it is followed up.
    """

    object: str
    pipeline: str
    per_month: tuple[float, float]
    dwell_days: Mapping[str, tuple[float, float]]
    advance: Mapping[str, float]
    back: float = 0.0
    invalid: float = 0.2
    converts: bool = False
    then: tuple[str, str] | None = None
    makes: tuple[Making, ...] = ()
    contacts: Contacts | None = None


@dataclass(frozen=True)
class DemoPlan:
    """``pools`` gives values to choose from: ``object.field`` → list (or ``{"low","high"}`` for numbers).

    Fields in ``later`` stay empty until a gate asks for them.
    """

    seed: int
    months: int
    workspace: Mapping[str, str]
    departments: tuple[Mapping[str, Any], ...]
    people: tuple[DemoPerson, ...]
    stock: tuple[Stock, ...]
    flows: tuple[Flow, ...]
    pools: Mapping[str, Any] = field(default_factory=dict)
    later: frozenset[str] = frozenset()

    def flow_of(self, pipeline: str) -> Flow | None:
        return next((flow for flow in self.flows if flow.pipeline == pipeline), None)


def read_plan(folder: Path | None, pack: Document) -> DemoPlan:
    """The plan in ``demo.json`` of a pack's folder, completed from the pack itself where it says nothing (all
    of it where there is no such file or folder). Errors: Invalid, naming what is wrong.
    """
    path = folder / DEMO_FILE if folder is not None and folder.is_dir() else folder
    try:
        own = json.loads(path.read_text("utf-8")) if path != folder and path and path.is_file() else {}
        document = completed(own, pack)
        return DemoPlan(
            seed=document["seed"],
            months=document["months"],
            workspace=document["workspace"],
            departments=tuple(document["departments"]),
            people=tuple(DemoPerson(**person) for person in document["people"]),
            stock=tuple(Stock(**stock) for stock in document["stock"]),
            flows=tuple(_flow(flow) for flow in document["flows"]),
            pools=document["pools"],
            later=frozenset(document.get("later", ())),
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Invalid(UNREADABLE, path=str(path), reason=str(error)) from error


def _flow(document: dict[str, Any]) -> Flow:
    then = document.get("then")
    return Flow(
        **{
            **document,
            "per_month": tuple(document["per_month"]),
            "dwell_days": {key: tuple(days) for key, days in document["dwell_days"].items()},
            "then": tuple(then) if then else None,
            "makes": tuple(_making(making) for making in document.get("makes", ())),
            "contacts": _contacts(document["contacts"]) if document.get("contacts") else None,
        }
    )


def _contacts(document: dict[str, Any]) -> Contacts:
    low, high = document["every_days"]
    cases = tuple((tuple(case.pop("stages", ())), case) for case in map(dict, document["cases"]))
    return Contacts(document["object"], (low, high), document.get("map", {}), cases)


def _making(document: dict[str, Any]) -> Making:
    again, settles = document.get("again"), document.get("settles")
    return Making(
        **{
            **document,
            "cases": tuple(document.get("cases", ())),
            "again": tuple(again) if again else None,
            "settles": tuple(settles) if settles else None,
        }
    )
