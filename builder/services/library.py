"""The library of a workspace: packs that people brought or saved there (S18, S116).

A pack that comes in is checked as a whole, as for an install; what is wrong is told with file and JSON
pointer, and nothing of it is kept.
"""

from __future__ import annotations

from sqlalchemy import func, select

from builder.db.definitions import LibraryPack
from builder.db.ids import new_id
from builder.errors import N_, Conflict, NotFound
from builder.metadata import documents as texts
from builder.metadata import packs
from builder.metadata.documents import checksum
from builder.metadata.grammar import DefinitionProblem, Document
from builder.services.definitions import EDIT
from builder.services.unit_of_work import UnitOfWork

MAX_PACKS = 100
MAX_BYTES = 5_000_000
TAKEN = N_("The library holds another “%(key)s” of version %(version)s. Give yours a higher version.")
FULL = N_("The library holds %(limit)s templates already. Remove one first.")


def take_in(uow: UnitOfWork, source: bytes, user_id: int | None = None) -> int:
    """Check the file of a pack and put it into the library; its id.

    Raises Forbidden; TooLarge; Invalid when it cannot be read; BrokenPack with every error, each with file
    and pointer; Conflict when the library has another of this key and version, or is full.
    """
    uow.require(EDIT)
    return keep(uow, read_pack(source), user_id)


def read_pack(source: bytes) -> Document:
    """The pack in a file, checked as a whole. Raises TooLarge, Invalid, BrokenPack."""
    document = texts.read(source, limit=MAX_BYTES)
    broken = list(texts.unstorable(document))
    if broken:
        raise packs.BrokenPack(packs.BROKEN, count=len(broken), problems=tuple(broken))
    found = packs.check(document)
    wrong: tuple[DefinitionProblem, ...] = tuple(problem for problem in found if problem.is_error)
    if wrong:
        raise packs.BrokenPack(packs.BROKEN, count=len(wrong), problems=wrong)
    return packs.normalised(document)


def keep(uow: UnitOfWork, pack: Document, user_id: int | None = None) -> int:
    """Put a sound pack into the library; the same one again is the one that is there.

    Raises Forbidden, BrokenPack, Conflict.
    """
    uow.require(EDIT)
    uow.begin()
    packs.refuse_broken(pack)
    pack, digest = packs.normalised(pack), checksum(packs.normalised(pack))
    known = uow.session.scalar(
        select(LibraryPack).where(LibraryPack.pack_key == pack["key"], LibraryPack.version == pack["version"])
    )
    if known is not None:
        if known.checksum != digest:
            raise Conflict(TAKEN, key=pack["key"], version=pack["version"])
        return known.id
    if (uow.session.scalar(select(func.count()).select_from(LibraryPack)) or 0) >= MAX_PACKS:
        raise Conflict(FULL, limit=MAX_PACKS)
    made = LibraryPack(
        workspace_id=uow.workspace.id,
        id=new_id(),
        pack_key=pack["key"],
        version=pack["version"],
        checksum=digest,
        document=pack,
        user_id=user_id,
        saved_at=uow.clock.now(),
        saved_by=uow.actor.member_id or None,
    )
    uow.session.add(made)
    uow.session.flush()
    uow.log("pack.kept", data={"pack": pack["key"], "version": pack["version"]})
    return made.id


def remove(uow: UnitOfWork, pack_id: int) -> None:
    """Take a pack out of the library of this workspace; what was installed from it stays.

    Raises Forbidden, NotFound.
    """
    uow.require(EDIT)
    uow.begin()
    found = uow.session.get(LibraryPack, (uow.workspace.id, pack_id))
    if found is None:
        raise NotFound()
    uow.session.delete(found)
    uow.log("pack.removed", data={"pack": found.pack_key, "version": found.version})
