"""Which template suits somebody's answers: by words of the trade that each names itself (S23, S115)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from builder.metadata.grammar import Document


@dataclass(frozen=True)
class Proposal:
    """``ref``: what the template is asked for by; ``words``: those of its words that the answers use;
    ``fits``: it is made for the scenario.
    """

    ref: str
    words: tuple[str, ...]
    fits: bool


def proposals(heads: Mapping[str, Document], scenario: str, answers: Mapping[str, str]) -> list[Proposal]:
    """All templates, the best first: those of whose words most are used, then those for the scenario."""
    text = "\n".join(answers.values()).casefold()
    found = [
        Proposal(
            ref,
            tuple(word for word in _suits(head).get("words", ()) if str(word).casefold() in text),
            scenario in _suits(head).get("scenarios", ()),
        )
        for ref, head in heads.items()
    ]
    return sorted(found, key=lambda one: (-len(one.words), not one.fits, one.ref))


def _suits(head: Document) -> Document:
    suits: Document = head.get("suits", {})
    return suits


def entry_pipeline(pack: Document) -> str:
    """The key of the process that a template is about: that of its first object that moves through one;
    empty when it has no process.
    """
    if not pack["pipelines"]:
        return ""
    places = {document["key"]: document.get("position", 999) for document in pack["objects"]}
    first = min(pack["pipelines"], key=lambda one: (places.get(one["object"], 999), one["key"]))
    return str(first["key"])
