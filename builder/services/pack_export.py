"""A workspace's definitions, or a choice of them, as a pack under a name of its own (B9, S116)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from builder.errors import N_, Invalid
from builder.metadata import documents as texts
from builder.metadata import packs
from builder.metadata.grammar import GRAMMAR, DefinitionProblem, Document
from builder.metadata.pack_parts import Name, closure, portable
from builder.queries import packs as queries
from builder.services.definitions import EDIT
from builder.services.unit_of_work import UnitOfWork

NO_FILE = N_("Choose a file first.")
NOTHING_TICKED = N_("Tick what is meant first.")
CANNOT_BE_CALLED = N_("The template cannot be called so.")
FIRST_VERSION = "1.0.0"
_LANGUAGES = ("en", "zh_Hans")


@dataclass(frozen=True)
class PackFacts:
    """What a pack is called. ``key`` never changes from version to version."""

    key: str
    label: Mapping[str, str] = field(default_factory=dict)
    version: str = FIRST_VERSION


def suggested(uow: UnitOfWork) -> PackFacts:
    """The name of the installed pack, where there is one, else that of the workspace."""
    installed = queries.installed_packs(uow.session)
    if len(installed) == 1:
        label = installed[0].head["label"]
        texts_of = {"en": label} if isinstance(label, str) else label
        return PackFacts(installed[0].key, texts_of, installed[0].version)
    return PackFacts(uow.workspace.key.replace("-", "_"), {"en": uow.workspace.name})


def export_parts(uow: UnitOfWork, facts: PackFacts, names: Collection[Name] | None = None) -> Document:
    """The live definitions of ``names`` with all that they need (``None``: all), as a pack.

    Of a pack that is installed here under the same key, everything else that it says about itself stays: an
    untouched one comes out byte for byte as it came in. Raises Forbidden; Invalid, its problems placed at
    ``key``, ``label`` or ``version``, or at the whole when nothing is chosen.
    """
    uow.require(EDIT)
    live = queries.definitions_among(queries.live_by_name(uow.session))
    wanted = frozenset(live) if names is None else closure(names, live)
    if not wanted:
        raise Invalid(NOTHING_TICKED)
    known = next((each for each in queries.installed_packs(uow.session) if each.key == facts.key), None)
    head: Document = dict(known.head) if known else {"grammar": GRAMMAR, "kind": "pack"}
    head |= {"key": facts.key, "version": facts.version}
    if known is None or dict(facts.label) != _as_texts(head["label"]):
        head["label"] = dict(facts.label)
    made = packs.assemble(head, [portable(live[name]) for name in sorted(wanted)])
    promised = head.get("locales", _LANGUAGES)
    made["locales"] = packs.complete_locales(made, promised) or ["en"]
    _refuse_names(made)
    return packs.normalised(made)


def _as_texts(label: str | Mapping[str, str]) -> dict[str, str]:
    return {"en": label} if isinstance(label, str) else dict(label)


def _refuse_names(pack: Document) -> None:
    own = {**packs.head(pack), **{section: [] for section in packs.SECTIONS}}
    wrong = [
        DefinitionProblem(found.message, _field(found.place), found.values)
        for found in texts.check("pack", own)
    ]
    if wrong:
        raise Invalid(CANNOT_BE_CALLED, problems=tuple(wrong))


def _field(place: str) -> str:
    return place.split("/")[1] if "/" in place else "label"
