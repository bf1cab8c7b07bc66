"""Packs (industry templates) in a workspace: installed, upgraded, exported, taken away (S18, S19, B9).

All of it goes through the same change set as every other edit: ``draft`` puts it among the drafts, where
differences and impact are looked at before publishing; ``install`` publishes at once. Which pack and version
a definition came from is a definition itself (``pack_install``), so it is published, rolled back and
withdrawn with the rest.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from sqlalchemy import select

from builder.db.definitions import PackBase
from builder.db.ids import new_id
from builder.domain.labels import Label
from builder.errors import N_, Conflict, NotFound, Problem
from builder.metadata import packs
from builder.metadata.documents import checksum, normalised
from builder.metadata.grammar import Document
from builder.metadata.pack_parts import Name, by_name, portable
from builder.metadata.pack_plan import Decisions, Outcome, Plan, record_of
from builder.queries import packs as queries
from builder.queries.packs import INSTALL
from builder.services.definitions import EDIT, Occasion, Published, publish
from builder.services.drafts import draft_removal, save_draft
from builder.services.unit_of_work import UnitOfWork

NOT_INSTALLED = N_("The industry template “%(pack)s” is not installed here.")
INSTALLED = N_("The industry template “%(pack)s” is installed already, in version %(version)s.")
CHANGED = N_("The workspace changed since you looked at this. Look at it again, then go on.")
NOTHING = N_("There is nothing to change: the workspace has all of it already.")
STAYS = N_("Some of it cannot go.")
IS_USED = N_("“%(name)s” is in use: %(count)s.")
IS_NEEDED = N_("“%(name)s” is needed by “%(other)s”.")
NOT_OF_IT = N_("“%(name)s” did not come from this template.")


@dataclass(frozen=True)
class Drafted:
    """What was put among the drafts: names of definitions that change and that go."""

    changed: tuple[Name, ...]
    gone: tuple[Name, ...]


def install(
    uow: UnitOfWork,
    pack: Document,
    only: Collection[Name] | None = None,
    decisions: Decisions | None = None,
) -> Published:
    """Publish a pack, or what ``only`` names of it with all that this needs, in one transaction.

    Everything is checked before anything is written. What the workspace has of its own is never overwritten
    unless ``decisions`` says so. Raises Forbidden; BrokenPack with every error; Conflict when it is
    installed already; Undecided (a Conflict) for definitions of the same key; Invalid.
    """
    uow.require(EDIT)
    uow.begin(alone=True)
    ours = queries.live_by_name(uow.session)
    before = queries.installed_among(ours).get(pack.get("key", ""))
    if before is not None:
        raise Conflict(INSTALLED, pack=before.key, version=before.version)
    return _publish(uow, pack, ours, only, decisions)


def upgrade(
    uow: UnitOfWork,
    pack: Document,
    only: Collection[Name] | None = None,
    decisions: Decisions | None = None,
) -> Published:
    """Publish another version of an installed pack, merged with what was changed here.

    Raises as ``install``; NotFound when it is not installed.
    """
    uow.require(EDIT)
    uow.begin(alone=True)
    ours = queries.live_by_name(uow.session)
    if pack.get("key") not in queries.installed_among(ours):
        raise NotFound(NOT_INSTALLED, pack=str(pack.get("key"))[:80])
    return _publish(uow, pack, ours, only, decisions)


def draft(
    uow: UnitOfWork,
    pack: Document,
    only: Collection[Name] | None = None,
    decisions: Decisions | None = None,
    seen: str | None = None,
) -> Drafted:
    """Put the install or the upgrade of a pack among the drafts, beside what is drafted already.

    ``seen``: the digest of the plan that somebody looked at. Raises as ``install``; Conflict when the plan is
    another by now, or there is nothing to change.
    """
    uow.require(EDIT)
    uow.begin(alone=True)
    ours = queries.drafted_by_name(uow.session)
    outcome = _settled(uow, pack, ours, only, decisions, seen)
    before = ours.get((INSTALL, pack["key"]))
    if not outcome.changed and not outcome.gone and before == normalised(outcome.installed):
        raise Conflict(NOTHING)
    keep_bases(uow, outcome.bases)
    for document in (*outcome.changed, outcome.installed):
        save_draft(uow, document)
    for kind, key in outcome.gone:
        draft_removal(uow, kind, key)
    uow.log("pack.drafted", data={"pack": pack["key"], "version": pack["version"]})
    return Drafted(tuple(by_name(outcome.changed)), outcome.gone)


def uninstall(uow: UnitOfWork, pack_key: str, names: Collection[Name]) -> Drafted:
    """Let definitions that came from a pack go with the next publish.

    Raises Forbidden; NotFound; Conflict naming each that records or people use, or that others need.
    """
    uow.require(EDIT)
    uow.begin(alone=True)
    ours = queries.drafted_by_name(uow.session)
    installed = queries.installed_among(ours).get(pack_key)
    if installed is None:
        raise NotFound(NOT_INSTALLED, pack=pack_key[:80])
    _refuse_staying(uow, installed.parts, names, ours)
    wanted = [name for name in installed.parts if name in names and name in ours]
    for kind, key in wanted:
        draft_removal(uow, kind, key)
    left = {name: digest for name, digest in installed.parts.items() if name in ours and name not in names}
    if left:
        record = record_of(installed.head, left, installed.left_out | set(wanted))
        save_draft(uow, {**record, "version": installed.version})
    else:
        draft_removal(uow, INSTALL, pack_key)
    uow.log("pack.uninstall_drafted", data={"pack": pack_key, "definitions": len(wanted)})
    return Drafted((), tuple(wanted))


def export(uow: UnitOfWork, pack_key: str) -> Document:
    """The pack as the workspace has it now: its own definitions, changed as they are, and those added since.

    Untouched, ``metadata.packs.files`` and ``combined`` of it are byte for byte those of the pack that was
    installed. What is of this workspace alone (departments) stays behind. Raises NotFound.
    """
    live = queries.live_by_name(uow.session)
    installed = queries.installed_among(live)
    if pack_key not in installed:
        raise NotFound(NOT_INSTALLED, pack=pack_key[:80])
    own = installed[pack_key].parts
    others = {name for key, other in installed.items() if key != pack_key for name in other.parts}
    mine = queries.definitions_among(live)
    stored = [portable(document) for name, document in mine.items() if name in own or name not in others]
    return packs.assemble(installed[pack_key].head, stored)


def _publish(
    uow: UnitOfWork,
    pack: Document,
    ours: Mapping[Name, Document],
    only: Collection[Name] | None,
    decisions: Decisions | None,
) -> Published:
    outcome = _settled(uow, pack, ours, only, decisions)
    keep_bases(uow, outcome.bases)
    note = Occasion("pack", note=f"{pack['key']} {pack['version']}")
    published = publish(uow, [*outcome.changed, outcome.installed], note, withdrawn=outcome.gone)
    uow.log("pack.installed", data={"pack": pack["key"], "version": pack["version"]})
    own = tuple(version for version in published.versions if version[0] != INSTALL)
    return Published(own, published.warnings, published.change_set_id)


def _settled(
    uow: UnitOfWork,
    pack: Document,
    ours: Mapping[Name, Document],
    only: Collection[Name] | None,
    decisions: Decisions | None,
    seen: str | None = None,
) -> Outcome:
    packs.refuse_broken(pack, ours.values())
    plan = queries.plan(uow.session, packs.normalised(pack), ours, only)
    if seen is not None and digest(plan) != seen:
        raise Conflict(CHANGED)
    return plan.settle(decisions or Decisions())


def digest(plan: Plan) -> str:
    """What somebody looked at: changes with every text that takes part."""
    sides = [
        [
            "/".join(part.name),
            *(checksum(each) if each else "" for each in (part.base, part.ours, part.theirs)),
        ]
        for part in plan.parts
    ]
    return checksum([plan.head, sides])[:32]


def keep_bases(uow: UnitOfWork, bases: Mapping[str, Document]) -> None:
    """Keep texts of a pack by their checksums, for later merges."""
    known = set(uow.session.scalars(select(PackBase.checksum).where(PackBase.checksum.in_(set(bases)))))
    uow.session.add_all(
        PackBase(workspace_id=uow.workspace.id, id=new_id(), checksum=key, document=text)
        for key, text in sorted(bases.items())
        if key not in known
    )
    uow.session.flush()


def _refuse_staying(
    uow: UnitOfWork, parts: Mapping[Name, str], names: Collection[Name], ours: Mapping[Name, Document]
) -> None:
    """Raises Conflict with each reason for which one of ``names`` cannot go."""

    def called(name: Name) -> Label:
        return Label.of(ours.get(name, {}).get("label") or name[1])

    held = queries.leaving(uow.session, names, ours)
    problems = [
        Problem(NOT_OF_IT, "/".join(name), {"name": called(name)}) for name in names if name not in parts
    ]
    for name, count in held.used.items():
        problems.append(Problem(IS_USED, "/".join(name), {"name": called(name), "count": count}))
    for name, others in held.needed.items():
        values = {"name": called(name), "other": called(others[0])}
        problems.append(Problem(IS_NEEDED, "/".join(name), values))
    if problems:
        raise Conflict(STAYS, problems=tuple(problems))
