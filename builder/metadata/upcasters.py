"""Documents of older grammars, brought up to the present one (idea 2: upcasters read old ones).

A grammar version is a whole number that every document names. When the grammar changes in a way that old
documents do not satisfy, ``GRAMMAR`` rises by one and a step is registered here that rewrites a document
of the version before. Stored versions are never rewritten: they are upcast whenever they are read.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from builder.errors import N_, Invalid, Problem
from builder.metadata.grammar import GRAMMAR, Document

Step = Callable[[Document], None]
"""Changes a document of one version in place to the next; ``grammar`` itself is set by ``upcast``."""

STEPS: dict[tuple[str, int], Step] = {}

NO_GRAMMAR = N_("The document does not say which grammar version it is written in; add “grammar”: %(known)s.")
FUTURE_GRAMMAR = N_(
    "This document is written in grammar version %(version)s, but this program knows only up to %(known)s. "
    "Update the program, or export the document again from the older one."
)


class UnknownGrammar(Invalid):
    """The document names no grammar version, or one from the future."""


def step(kind: str, version: int) -> Callable[[Step], Step]:
    """Register how documents of ``kind`` go from ``version`` to the next one."""

    def register(function: Step) -> Step:
        STEPS[kind, version] = function
        return function

    return register


def upcast(document: Document) -> Document:
    """The document in the present grammar: itself when it already is, else a changed copy.

    Errors: UnknownGrammar when it names no version, or one that this program does not know.
    """
    version = document.get("grammar")
    if isinstance(version, bool) or not isinstance(version, int) or version < 0:
        raise UnknownGrammar(
            NO_GRAMMAR, known=GRAMMAR, problems=(Problem(NO_GRAMMAR, "/grammar", {"known": GRAMMAR}),)
        )
    if version > GRAMMAR:
        values: dict[str, Any] = {"version": version, "known": GRAMMAR}
        raise UnknownGrammar(
            FUTURE_GRAMMAR, problems=(Problem(FUTURE_GRAMMAR, "/grammar", values),), **values
        )
    if version == GRAMMAR:
        return document
    document = copy.deepcopy(document)
    while version < GRAMMAR:
        change = STEPS.get((str(document.get("kind")), version))
        if change is not None:
            change(document)
        version += 1
        document["grammar"] = version
    return document


@step("pipeline", 0)
def _marker_and_transitions_become_objects(document: Document) -> None:
    """Grammar 0 wrote a stage's marker as a text ``exit_marker`` and ``"transitions": "any"`` as a word."""
    for stage in _objects(document.get("stages")):
        if isinstance(stage.get("exit_marker"), (str, dict)):
            stage["marker"] = {"label": _translated(stage.pop("exit_marker"))}
    if isinstance(document.get("transitions"), str):
        document["transitions"] = {"default": document["transitions"]}


@step("pack", 0)
def _pack_holds_old_documents(document: Document) -> None:
    """A pack of grammar 0 holds documents of grammar 0, which may leave the version to their pack."""
    for section in ("objects", "feedback", "pipelines", "views", "funnels", "roles"):
        documents = document.get(section)
        if isinstance(documents, list):
            document[section] = [
                upcast({"grammar": 0, **inner}) if isinstance(inner, dict) else inner for inner in documents
            ]


def _objects(value: Any) -> list[Document]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _translated(text: str | Document) -> Document:
    return {"en": text} if isinstance(text, str) else text
