"""What is to be done with a file: which column fills which field, how rows are known again, their history.

A plan is made by the mapping screen or the command line, stored with the import job as JSON, and carried out
the same way by both.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from builder.exchange.detection import FileFormat
from builder.exchange.moments import DateOrder
from builder.exchange.numbers import DecimalMark

Mode: TypeAlias = Literal["rows", "log"]
# What becomes of a row whose record is here already, by an earlier import or an earlier row.
KnownRows: TypeAlias = Literal["change", "leave", "refuse"]


@dataclass(frozen=True, slots=True)
class HistoryPlan:
    """How rows tell the history of their record in one pipeline.

    ``stages`` maps each stage text of the file (case-folded) to a stage key. In mode *rows* a row is a
    record: ``at`` is when it entered its first known stage, ``closed`` when its terminal one. In mode *log* a
    row is a visit that began ``at``; ``user`` is who brought the record there. Where a column of its own says
    won, lost or open, ``statuses`` maps its texts to the stage that closes such a record, ``None`` for open;
    the stage column then tells the last open stage.
    """

    pipeline: str
    stage_column: str
    stages: Mapping[str, str]
    at_column: str | None = None
    closed_column: str | None = None
    amount_column: str | None = None
    user_column: str | None = None
    status_column: str | None = None
    statuses: Mapping[str, str | None] = field(default_factory=dict)


BY_RULES = "@rules"


@dataclass(frozen=True, slots=True)
class ImportPlan:
    """``fields``: (column, field key) pairs; ``key_column`` fills the record's external key.

    ``orders``, ``marks`` and ``units`` say per column how its dates and numbers are written and what they
    count (``exchange.units``); ``options`` which option a text means (``""``: none). ``name_from_key``: the
    key is the record's name too, because no column gives one. ``entry_pipeline``: new records without history
    enter its first stage; ``BY_RULES``: each that of the process which the rules say (S7–S9). ``known_rows``:
    rows of mode *rows* whose record is here already change it, leave it as it is, or are refused.
    """

    object_key: str
    format: FileFormat
    mode: Mode = "rows"
    fields: tuple[tuple[str, str], ...] = ()
    key_column: str | None = None
    name_from_key: bool = False
    orders: Mapping[str, DateOrder] = field(default_factory=dict)
    marks: Mapping[str, DecimalMark] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    create_users: bool = False
    create_references: bool = False
    known_rows: KnownRows = "change"
    entry_pipeline: str | None = None
    history: HistoryPlan | None = None

    def to_document(self) -> dict[str, Any]:
        history = self.history
        return {
            "object": self.object_key,
            "format": self.format.to_document(),
            "mode": self.mode,
            "fields": [list(pair) for pair in self.fields],
            "key_column": self.key_column,
            "name_from_key": self.name_from_key,
            "orders": dict(self.orders),
            "marks": dict(self.marks),
            "units": dict(self.units),
            "options": {column: dict(texts) for column, texts in self.options.items()},
            "create_users": self.create_users,
            "create_references": self.create_references,
            "known_rows": self.known_rows,
            "entry_pipeline": self.entry_pipeline,
            "history": None
            if history is None
            else {
                "pipeline": history.pipeline,
                "stage_column": history.stage_column,
                "stages": dict(history.stages),
                "at_column": history.at_column,
                "closed_column": history.closed_column,
                "amount_column": history.amount_column,
                "user_column": history.user_column,
                "status_column": history.status_column,
                "statuses": dict(history.statuses),
            },
        }

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> ImportPlan:
        """The plan that ``to_document`` wrote. Errors: KeyError, TypeError for anything else."""
        history = document["history"]
        return cls(
            object_key=document["object"],
            format=FileFormat.from_document(document["format"]),
            mode=document["mode"],
            fields=tuple((column, key) for column, key in document["fields"]),
            key_column=document["key_column"],
            name_from_key=document["name_from_key"],
            orders=document["orders"],
            marks=document["marks"],
            units=document.get("units", {}),
            options=document.get("options", {}),
            create_users=document["create_users"],
            create_references=document["create_references"],
            known_rows=document.get("known_rows", "change"),
            entry_pipeline=document["entry_pipeline"],
            history=None if history is None else HistoryPlan(**history),
        )

    @property
    def field_of(self) -> dict[str, str]:
        return dict(self.fields)
