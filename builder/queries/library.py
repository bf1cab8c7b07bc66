"""The packs that a workspace can have: shipped ones, its library, and the reader's own (S18, S116)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from sqlalchemy import Select, or_, select

from builder.db.definitions import LibraryPack
from builder.db.ids import from_public, to_public
from builder.db.people import Workspace
from builder.db.tenancy import WorkspaceSession
from builder.domain.labels import Label
from builder.errors import NotFound
from builder.metadata import packs
from builder.metadata.grammar import Document

_MARK = "library-"


@dataclass(frozen=True)
class ShelfPack:
    """A pack on the shelf. ``ref``: by what it is asked for (the key of a shipped one); ``counts``: how many
    definitions of each section; ``id`` is 0 for shipped ones; ``workspace``: whose library it lies in;
    ``is_here``: whether that is the bound workspace.
    """

    ref: str
    document: Document
    id: int = 0
    workspace: str = ""
    is_here: bool = False

    @property
    def key(self) -> str:
        return str(self.document["key"])

    @property
    def version(self) -> str:
        return str(self.document["version"])

    @property
    def label(self) -> Label:
        return Label.of(self.document["label"])

    @property
    def description(self) -> Label:
        return Label.of(self.document.get("description") or "")

    @property
    def counts(self) -> Mapping[str, int]:
        return {section: len(self.document.get(section, ())) for section in packs.SECTIONS}

    @property
    def is_shipped(self) -> bool:
        return not self.id


def version_order(version: str) -> tuple[int, ...]:
    """By what versions are compared: ``1.10.0`` is later than ``1.9.0``."""
    return tuple(int(part) for part in version.split(".") if part.isdecimal())


def shelf(session: WorkspaceSession, user_id: int | None) -> list[ShelfPack]:
    """All packs that the reader may install here: shipped ones first, then libraries, by key and version.

    The session must be bound to the sign-in (``bind_user``) to show what they saved in other workspaces.
    """
    own = [
        ShelfPack(
            f"{_MARK}{to_public(row.id)}",
            row.document,
            row.id,
            row.name,
            row.workspace_id == session.workspace_id,
        )
        for row in session.execute(_rows(session, user_id))
    ]
    own.sort(key=lambda each: (each.key, version_order(each.version)))
    return [*_shipped(), *own]


def shelf_pack(session: WorkspaceSession, user_id: int | None, ref: str) -> ShelfPack:
    """One pack by its ``ref``. Raises NotFound."""
    if not ref.startswith(_MARK):
        found = next((each for each in _shipped() if each.ref == ref), None)
        if found is None:
            raise NotFound()
        return found
    try:
        wanted = from_public(ref.removeprefix(_MARK))
    except ValueError as error:
        raise NotFound() from error
    row = session.execute(_rows(session, user_id).where(LibraryPack.id == wanted)).one_or_none()
    if row is None:
        raise NotFound()
    return ShelfPack(ref, row.document, row.id, row.name, row.workspace_id == session.workspace_id)


def _rows(session: WorkspaceSession, user_id: int | None) -> Select[tuple[int, int, Document, str]]:
    mine = LibraryPack.workspace_id == session.workspace_id
    return (
        select(LibraryPack.id, LibraryPack.workspace_id, LibraryPack.document, Workspace.name)
        .join(Workspace, Workspace.id == LibraryPack.workspace_id)
        .where(or_(mine, LibraryPack.user_id == user_id) if user_id else mine)
        .execution_options(across_workspaces=True)
    )


def _shipped() -> Iterator[ShelfPack]:
    for key in packs.shipped():
        yield ShelfPack(key, _read(packs.locate(key)))


@lru_cache(maxsize=64)
def _read(folder: Path) -> Document:
    """A shipped pack, read once a process: the files come with the program."""
    return packs.load(folder)
