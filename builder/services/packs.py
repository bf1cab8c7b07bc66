"""Installing industry templates into a workspace, and exporting what became of them (S18, S19)."""

from __future__ import annotations

from sqlalchemy import select

from builder.db.definitions import PackInstall
from builder.db.ids import new_id
from builder.errors import N_, Conflict, NotFound
from builder.metadata import packs
from builder.metadata.grammar import Document
from builder.queries.definitions import live_rows
from builder.services.definitions import EDIT, Occasion, Published, publish
from builder.services.unit_of_work import UnitOfWork


def install(uow: UnitOfWork, pack: Document) -> Published:
    """Publish all documents of a pack in one transaction and remember what was installed.

    Everything is checked before anything is written. A definition of the same kind and key that was not
    installed by this pack is never overwritten. Raises Forbidden; BrokenPack with every error; Conflict.
    """
    uow.require(EDIT)
    uow.begin(alone=True)
    live = live_rows(uow.session)
    pack = packs.normalised(pack)
    packs.refuse_broken(pack, [row.document for row in live])
    before = uow.session.scalar(select(PackInstall).where(PackInstall.pack_key == pack["key"]))
    if before is not None:
        raise Conflict(
            N_("The industry template “%(pack)s” is installed already, in version %(version)s."),
            pack=pack["key"],
            version=before.version,
        )
    taken = {(row.kind, row.key) for row in live}
    for document in packs.documents(pack):
        if (document["kind"], document["key"]) in taken:
            raise Conflict(
                N_("The workspace has a definition “%(key)s” (%(kind)s) of its own already."),
                key=document["key"],
                kind=document["kind"],
            )
    published = publish(uow, packs.documents(pack), Occasion("pack", note=f"{pack['key']} {pack['version']}"))
    uow.session.add(
        PackInstall(
            workspace_id=uow.workspace.id,
            id=new_id(),
            pack_key=pack["key"],
            version=pack["version"],
            document=pack,
            installed_at=uow.clock.now(),
            installed_by=uow.actor.member_id or None,
        )
    )
    uow.session.flush()
    uow.log("pack.installed", data={"pack": pack["key"], "version": pack["version"]})
    return published


def export(uow: UnitOfWork, pack_key: str) -> Document:
    """The pack as the workspace has it now: its own definitions, changed as they are, and those added since.

    Untouched, ``metadata.packs.files`` and ``combined`` of it are byte for byte those of the pack that was
    installed. Raises NotFound.
    """
    rows = uow.session.execute(select(PackInstall.pack_key, PackInstall.document)).all()
    documents = {row.pack_key: row.document for row in rows}
    if pack_key not in documents:
        raise NotFound(N_("The industry template “%(pack)s” is not installed here."), pack=pack_key[:80])
    others = {
        (document["kind"], document["key"])
        for key, pack in documents.items()
        if key != pack_key
        for document in packs.documents(pack)
    }
    stored = [row.document for row in live_rows(uow.session) if (row.kind, row.key) not in others]
    return packs.assemble(packs.head(documents[pack_key]), stored)
