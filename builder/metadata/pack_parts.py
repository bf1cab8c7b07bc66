"""Parts of packs: what a definition cannot be without, and a pack that holds a choice of them (B9, S18)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, TypeAlias

from builder.domain.assignment import DEPARTMENTS
from builder.metadata import packs
from builder.metadata.grammar import Document

Name: TypeAlias = tuple[str, str]
"""Kind and key of a definition."""

# Properties whose text names a definition of that kind, wherever they stand.
_NAMED: Mapping[str, str] = {
    "object": "object",
    "x-target": "object",
    "x-from": "object",
    "main": "object",
    "pipeline": "pipeline",
    "feedback": "feedback",
    "role": "role",
    "fallback_role": "role",
    "roles": "role",
}
# Below these stand field keys with values of theirs, values that people typed, or texts: nothing is named.
_OPAQUE = frozenset({"map", "x-default", "value", "label", "x-label", "description", "x-help"})


def name_of(document: Document) -> Name:
    return document["kind"], document["key"]


def by_name(documents: Iterable[Document]) -> dict[Name, Document]:
    return {name_of(document): document for document in documents}


def needs(document: Document) -> frozenset[Name]:
    """The definitions that a document names and cannot be published without; itself left out.

    Names of steps in a gate (``feedback: block``) may look like keys; whoever asks knows what there is.
    """
    found = set(_named(document))
    if document["kind"] == "role":
        found |= {("object", key) for key in document.get("fields", {})}
    processes = document.get("processes", {})
    found |= {
        ("pipeline", key) for key in (processes.get("default"), *processes.get("departments", ())) if key
    }
    return frozenset(found - {name_of(document)})


def _named(value: Any) -> Iterator[Name]:
    if isinstance(value, list):
        for each in value:
            yield from _named(each)
    if not isinstance(value, dict):
        return
    for name, inner in value.items():
        kind = _NAMED.get(name)
        if kind is not None and isinstance(inner, str):
            yield kind, inner
        elif kind is not None and isinstance(inner, list):
            yield from ((kind, each) for each in inner if isinstance(each, str))
        if name not in _OPAQUE:
            yield from _named(inner)


def portable(document: Document) -> Document:
    """The definition without what is of one workspace alone: its departments, which others do not have.

    Rules of processes that ask about departments go as well: elsewhere they would never hold.
    """
    processes = document.get("processes")
    if document["kind"] != "object" or not processes:
        return document
    kept = {name: part for name, part in processes.items() if name not in ("rules", "departments")}
    rules = [rule for rule in processes.get("rules", ()) if not _asks_departments(rule["when"])]
    if rules:
        kept["rules"] = rules
    rest = {name: part for name, part in document.items() if name != "processes"}
    return {**rest, "processes": kept} if kept else rest


def _asks_departments(condition: Any) -> bool:
    if isinstance(condition, list):
        return any(map(_asks_departments, condition))
    if not isinstance(condition, dict):
        return False
    return condition.get("field") == DEPARTMENTS or any(map(_asks_departments, condition.values()))


def closure(wanted: Collection[Name], documents: Mapping[Name, Document]) -> frozenset[Name]:
    """The wanted definitions with all that they need, as far as ``documents`` has it."""
    found: set[Name] = set()
    waiting = [name for name in wanted if name in documents]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += [each for each in needs(documents[name]) if each in documents]
    return frozenset(found)


def dependants(names: Collection[Name], documents: Mapping[Name, Document]) -> dict[Name, tuple[Name, ...]]:
    """For each of ``names``, which other definitions of ``documents`` need it and are not going as well."""
    gone = frozenset(names)
    found: dict[Name, list[Name]] = {}
    for other, document in documents.items():
        if other in gone:
            continue
        for needed in needs(document) & gone:
            found.setdefault(needed, []).append(other)
    return {name: tuple(sorted(others)) for name, others in found.items()}


def part_of(pack: Document, names: Collection[Name]) -> Document:
    """The pack with only the definitions of ``names``, in the canonical form."""
    kept = [document for document in packs.documents(pack) if name_of(document) in names]
    return packs.assemble(packs.head(pack), kept)
