"""What is to be written into a file: which records, which columns under which headings, in which format.

A plan is made by a page, in its reader's language; it is carried out at once or stored with a job as JSON.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

Format: TypeAlias = Literal["csv", "xlsx"]
FORMATS: tuple[Format, ...] = ("csv", "xlsx")
MEDIA_TYPES: Mapping[str, str] = {
    "csv": "text/csv",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
# Columns that are neither fields nor ``record.<column>``.
ID, EXTERNAL_KEY, CURRENCY_OF = "@id", "@external_key", "@currency:"


@dataclass(frozen=True, slots=True)
class ExportPlan:
    """``columns``: (name, heading) pairs; a name is a field key, ``record.<column>``, ``@id`` (the key by
    which the file finds its record again), ``@external_key`` or ``@currency:<money field>``.

    ``filter``, ``sort``, ``query`` and ``pipeline`` as in ``queries.list.ListRequest``, the filter as a
    document. ``is_exact``: every value is written so that reading the file back gives the same one, whatever
    record it is read into; otherwise options and addresses are written as people read them, in ``locale``,
    and read back into their own record change nothing. ``words``: the names of outcomes.
    ``bom``: whether a CSV file begins with the mark by which Excel knows UTF-8. ``file_name`` is without its
    ending; ``title`` names the sheet.
    """

    object_key: str
    columns: tuple[tuple[str, str], ...]
    format: Format = "csv"
    bom: bool = True
    is_exact: bool = False
    sort: tuple[str, ...] = ()
    filter: Mapping[str, Any] | None = None
    query: str = ""
    pipeline: str | None = None
    locale: str = "en"
    words: Mapping[str, str] = field(default_factory=dict)
    file_name: str = "export"
    title: str = ""

    def to_document(self) -> dict[str, Any]:
        return {
            "object": self.object_key,
            "columns": [list(pair) for pair in self.columns],
            "format": self.format,
            "bom": self.bom,
            "is_exact": self.is_exact,
            "sort": list(self.sort),
            "filter": None if self.filter is None else dict(self.filter),
            "query": self.query,
            "pipeline": self.pipeline,
            "locale": self.locale,
            "words": dict(self.words),
            "file_name": self.file_name,
            "title": self.title,
        }

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> ExportPlan:
        """The plan that ``to_document`` wrote. Errors: KeyError, TypeError for anything else."""
        facts = dict(document)
        return cls(
            object_key=facts.pop("object"),
            columns=tuple((name, heading) for name, heading in facts.pop("columns")),
            sort=tuple(facts.pop("sort")),
            **facts,
        )
