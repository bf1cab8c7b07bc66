"""Configuration as code: a pack file says what a workspace shall be (B10).

The file is the truth: what was changed here goes back to what it says, by one change set of the history like
every other publish. ``compare`` tells the same differences before anything is written.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from builder.metadata import packs
from builder.metadata.differences import Difference, differences
from builder.metadata.documents import checksum
from builder.metadata.grammar import Document
from builder.metadata.impact import concerns
from builder.metadata.merging import merge
from builder.metadata.pack_parts import Name, by_name, portable
from builder.metadata.pack_plan import record_of
from builder.queries import packs as queries
from builder.queries.impact import Touched, impact
from builder.services.definitions import EDIT, Occasion, Published, publish
from builder.services.drafts import draft_removal, save_draft
from builder.services.packs import keep_bases
from builder.services.unit_of_work import UnitOfWork


@dataclass(frozen=True)
class Change:
    """One definition that the file wants otherwise; ``None`` on the side where there is none."""

    name: Name
    before: Document | None
    after: Document | None

    @property
    def what(self) -> str:
        """added, changed or removed."""
        return "added" if self.before is None else ("removed" if self.after is None else "changed")

    def differences(self) -> tuple[Difference, ...]:
        return differences(self.name[0], self.before, self.after)


@dataclass(frozen=True)
class Comparison:
    """What a file would change, and what of the records that touches."""

    changes: tuple[Change, ...]
    touched: tuple[Touched, ...]


def compare(uow: UnitOfWork, pack: Document, *, prune: bool = False) -> Comparison:
    """What ``apply`` would do; nothing is written.

    ``prune``: definitions that the file does not name go; otherwise they stay. Raises BrokenPack.
    """
    live = queries.definitions_among(queries.live_by_name(uow.session))
    packs.refuse_broken(pack, live.values())
    changes = tuple(_changes(pack, live, prune=prune))
    asked = [one for each in changes for one in concerns(each.before, each.after)]
    return Comparison(changes, tuple(impact(uow.session, asked)))


def apply(uow: UnitOfWork, pack: Document, *, prune: bool = False, as_draft: bool = False) -> Published:
    """Make the workspace what the file says, in one transaction; nothing at all where it is so already.

    ``as_draft``: among the drafts instead, to be looked at and published in the Studio. Raises Forbidden;
    BrokenPack, Invalid with every error; Conflict when what would go is in use.
    """
    uow.require(EDIT)
    uow.begin(alone=True)
    changes = compare(uow, pack, prune=prune).changes
    if not changes:
        return Published(())
    changed = [each.after for each in changes if each.after is not None]
    gone = [each.name for each in changes if each.after is None]
    changed += _record(uow, packs.normalised(pack))
    if as_draft:
        for document in changed:
            save_draft(uow, document)
        for kind, key in gone:
            draft_removal(uow, kind, key)
        return Published(())
    note = f"{pack['key']} {pack['version']}"
    published = publish(uow, changed, Occasion("file", note), withdrawn=gone)
    uow.log("pack.applied", data={"pack": pack["key"], "version": pack["version"]})
    return published


def _changes(pack: Document, live: dict[Name, Document], *, prune: bool) -> Iterator[Change]:
    wanted = by_name(packs.documents(packs.normalised(pack)))
    for name, document in wanted.items():
        before = live.get(name)
        # What is of this workspace alone (its departments) stands in no file, and stays.
        after = merge(portable(before), before, document, prefer_theirs=True).document if before else document
        if after != before:
            yield Change(name, before, after)
    if prune:
        for name in sorted(live.keys() - wanted.keys()):
            yield Change(name, live[name], None)


def _record(uow: UnitOfWork, pack: Document) -> list[Document]:
    """What says that this version is installed; of the one that is, the base of later merges stays."""
    installed = queries.installed_among(queries.live_by_name(uow.session)).get(pack["key"])
    if installed is not None and installed.version == pack["version"]:
        return []
    documents = by_name(packs.documents(pack))
    keep_bases(uow, {checksum(document): document for document in documents.values()})
    digests = {name: checksum(document) for name, document in documents.items()}
    return [record_of(packs.head(pack), digests, ())]
