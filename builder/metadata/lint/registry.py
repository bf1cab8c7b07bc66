"""The registry of lint rules, and the other definitions that a rule may look at."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeAlias

from builder.metadata import record_schema
from builder.metadata.documents import normalised
from builder.metadata.grammar import DefinitionProblem, Document, Severity, pointer
from builder.metadata.upcasters import upcast

Finding: TypeAlias = "tuple[tuple[str | int, ...], dict[str, Any]]"
"""What a rule yields: the path into the document and the values of its message."""

Check: TypeAlias = "Callable[[Document, Surroundings], Iterable[Finding]]"


@dataclass(frozen=True)
class Surroundings:
    """The definitions that live beside a document: ``{kind: {key: document}}``.

    ``previous`` is the published version of the document that is being checked, when there is one;
    ``former`` the types of the fields that versions before that one had: ``{field key: type key}``.
    """

    documents: Mapping[str, Mapping[str, Document]] = field(default_factory=dict)
    previous: Document | None = None
    former: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, documents: Iterable[Document], *, previous: Document | None = None) -> Surroundings:
        kinds: dict[str, dict[str, Document]] = {}
        for document in documents:
            kinds.setdefault(document["kind"], {})[document["key"]] = upcast(document)
        return cls(kinds, previous)

    def find(self, kind: str, key: str | None) -> Document | None:
        return self.documents.get(kind, {}).get(key) if key else None

    def has(self, kind: str, key: str) -> bool:
        return key in self.documents.get(kind, {})

    def fields_of(self, object_key: str | None) -> dict[str, Document]:
        """The authored fields of an object by key; empty when there is no such object."""
        found = self.find("object", object_key)
        return found["fields"]["properties"] if found else {}

    def answers_of(self, feedback_key: str | None) -> dict[str, Document]:
        """The fields of a feedback form under the names that gates use: ``feedback.<key>``."""
        found = self.find("feedback", feedback_key)
        if found is None:
            return {}
        return {f"feedback.{key}": answer for key, answer in found["fields"]["properties"].items()}

    @cached_property
    def rights(self) -> Mapping[str, frozenset[str]]:
        """Rights by role key."""
        roles = self.documents.get("role", {})
        return {key: frozenset(role["rights"]) for key, role in roles.items()}

    def beside(self, document: Document, previous: Document | None = None) -> Surroundings:
        """The same surroundings with ``document`` in its place, as it would be once published."""
        kind, key = document["kind"], document["key"]
        kinds = {**self.documents, kind: {**self.documents.get(kind, {}), key: document}}
        return Surroundings(kinds, previous if previous is not None else self.previous, self.former)


@dataclass(frozen=True)
class Rule:
    """A lint rule: its name, the kinds of documents it reads, its severity and its message key."""

    name: str
    kinds: tuple[str, ...]
    severity: Severity
    message: str
    check: Check

    def problems(self, document: Document, surroundings: Surroundings) -> Iterator[DefinitionProblem]:
        for path, values in self.check(document, surroundings):
            yield DefinitionProblem(self.message, pointer(*path), values, self.severity, self.name)


RULES: dict[str, Rule] = {}


def rule(
    name: str, kinds: str | tuple[str, ...], message: str, severity: Severity = "error"
) -> Callable[[Check], Check]:
    """Register a function as a lint rule. Errors: ValueError when the name is taken."""

    def register(check: Check) -> Check:
        if name in RULES:
            raise ValueError(f"there are two lint rules {name!r}")
        RULES[name] = Rule(name, (kinds,) if isinstance(kinds, str) else kinds, severity, message, check)
        return check

    return register


_ORDER = {"error": 0, "warn": 1, "hint": 2}


def lint(kind: str, document: Document, surroundings: Surroundings | None = None) -> list[DefinitionProblem]:
    """All findings of all rules for a document, errors first, each with its JSON pointer."""
    document = normalised(upcast(document))
    around = (surroundings or Surroundings()).beside(document)
    rules = [each for each in RULES.values() if kind in each.kinds]
    found = [problem for each in rules for problem in each.problems(document, around)]
    if kind in ("object", "feedback") and not any(problem.is_error for problem in found):
        found.extend(_uncompilable(document))
    return sorted(found, key=lambda problem: (_ORDER[problem.severity], problem.place, problem.rule))


def _uncompilable(document: Document) -> Iterator[DefinitionProblem]:
    """What the rules above have no name for: settings that a field type itself refuses."""
    for problem in record_schema.problems(document["fields"]):
        place = pointer("fields") + problem.place
        yield DefinitionProblem(problem.message, place, problem.values, rule="uncompilable")


def twice(items: Iterable[tuple[tuple[str | int, ...], Any]]) -> Iterator[Finding]:
    """The places whose value stood at an earlier place already, with the value as ``name``."""
    seen: set[Any] = set()
    for path, value in items:
        if value in seen:
            yield path, {"name": str(value)}
        seen.add(value)


def texts(label: Any) -> Iterator[tuple[str, str]]:
    """(language, text) pairs of a label, which may be a plain text."""
    if isinstance(label, dict):
        yield from label.items()
    elif isinstance(label, str):
        yield "en", label


def same_labels(items: Iterable[tuple[tuple[str | int, ...], Any]]) -> Iterator[Finding]:
    """The places of labels that read like an earlier one in the same language."""
    found = twice(
        (path, (language, text.strip().casefold()))
        for path, label in items
        for language, text in texts(label)
    )
    for path in dict.fromkeys(path for path, _ in found):  # once, though it may read so in several languages
        yield path, {}
