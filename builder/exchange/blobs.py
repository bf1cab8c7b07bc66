"""Where uploaded and made files live, behind one interface (design.md §4): a folder by default.

A blob's key is chosen by the caller (workspace and file id), never by the person who uploads.
"""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

from builder.errors import N_, NotFound, TooLarge, Unavailable

_KEY = re.compile(r"[0-9a-z]{1,40}(/[0-9a-z]{1,40}){0,3}")
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class StoredBlob:
    """What was written: ``size`` in bytes and the SHA-256 ``checksum`` in hexadecimal."""

    size: int
    checksum: str


class BlobStore(Protocol):
    """Keeps bytes under a key. A put is whole or absent: nobody ever reads half of one."""

    def put(self, key: str, stream: BinaryIO, *, limit: int | None = None) -> StoredBlob: ...

    def open(self, key: str) -> BinaryIO: ...

    def delete(self, key: str) -> None: ...


def blob_key(workspace_id: int, file_id: int) -> str:
    """Where the bytes of a workspace's stored file are."""
    return f"{workspace_id}/{file_id}"


class FolderBlobStore:
    """Blobs as files below one folder. Shared between processes of one machine (or over a network folder)."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, key: str, stream: BinaryIO, *, limit: int | None = None) -> StoredBlob:
        """Store all of ``stream``, replacing what was there. Errors: TooLarge beyond ``limit`` bytes."""
        path = self._path(key)
        draft = path.with_name(f".{path.name}.{os.getpid()}.draft")
        digest, size = hashlib.sha256(), 0
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with draft.open("wb") as file:
                while chunk := stream.read(_CHUNK):
                    size += len(chunk)
                    if limit is not None and size > limit:
                        raise TooLarge(N_("The file is larger than %(limit)s bytes."), limit=limit)
                    digest.update(chunk)
                    file.write(chunk)
                file.flush()
                os.fsync(file.fileno())
            os.replace(draft, path)
        except OSError as error:
            raise Unavailable(N_("The file store cannot be written to.")) from error
        finally:
            draft.unlink(missing_ok=True)
        return StoredBlob(size, digest.hexdigest())

    def open(self, key: str) -> BinaryIO:
        """The blob for reading, to be closed by the caller. Errors: NotFound."""
        try:
            return self._path(key).open("rb")
        except FileNotFoundError as error:
            raise NotFound(N_("This file is no longer stored.")) from error

    def delete(self, key: str) -> None:
        """Remove the blob; nothing happens when there is none."""
        self._path(key).unlink(missing_ok=True)

    def _path(self, key: str) -> Path:
        if not _KEY.fullmatch(key):
            raise ValueError(f"not a blob key: {key!r}")
        return self._folder / key
