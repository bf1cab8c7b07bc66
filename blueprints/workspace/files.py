"""Files of records: taken in with the form, shown and downloaded by whoever sees the record.

A form with files is sent as multipart; each file is kept before anything else is read, so that a form that is
refused still holds it (as its id).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import send_file
from htmx_flask import request
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from blueprints import house
from blueprints.scope import Scope, scope
from blueprints.workspace.area import workspace
from builder.domain.fields import FieldSet
from builder.errors import FunnelwrightError, NotFound, Problem
from builder.exchange.blobs import BlobStore, FolderBlobStore, blob_key
from builder.fieldtypes.file import PICTURES
from builder.queries.files import GONE, readable_file
from builder.services import files as services
from builder.services.files import file_fields


@dataclass(frozen=True)
class Sent:
    """What a form sent: ``data`` with the ids of its files; ``problems`` of files that were not kept."""

    data: MultiDict[str, str]
    problems: tuple[Problem, ...] = ()


def sent(here: Scope, fields: FieldSet, prefix: str = "f") -> Sent:
    """Keep the files of the form, each committed by itself, and put their ids where a form has values."""
    chosen = [field for field in file_fields(fields) if _is_chosen(f"{prefix}-{field.key}")]
    if not chosen:
        return Sent(request.form)
    data: MultiDict[str, str] = MultiDict(request.form)
    problems: list[Problem] = []
    for field in chosen:
        upload = request.files[f"{prefix}-{field.key}"]
        uow = here.unit_of_work()
        try:
            file = services.receive(
                uow, blob_store(), upload.stream, upload.filename or "", services.Intake.of(field)
            )
            uow.commit()
        except FunnelwrightError as error:
            uow.rollback()
            problems.append(Problem(error.message_key, field.key, error.values))
            continue
        data.setlist(f"{prefix}-{field.key}", [str(file.id)])
    return Sent(data, tuple(problems))


def _is_chosen(name: str) -> bool:
    return name in request.files and bool(request.files[name].filename)


def find_waiting(here: Scope, text: str) -> Mapping[str, Any] | None:
    """What is told of a file that the reader brought and no record holds yet."""
    if not text.isascii() or not text.isdecimal() or len(text) > 18:
        return None
    file = services.waiting(here.unit_of_work(), int(text))
    return None if file is None else services.facts(file)


@workspace.get("/files/<rid:file_id>")
def file(file_id: int) -> Response:
    """The file itself, always to be saved, never shown by the browser."""
    return _answer(file_id, as_attachment=True)


@workspace.get("/files/<rid:file_id>/picture")
def picture(file_id: int) -> Response:
    """The picture for a page. Errors: NotFound for whatever is no picture by its bytes."""
    return _answer(file_id, as_attachment=False)


def _answer(file_id: int, *, as_attachment: bool) -> Response:
    here = scope()
    found = readable_file(here.session, here.actor, file_id)
    if not as_attachment and found.media_type not in PICTURES:
        raise NotFound(GONE)
    stream = blob_store().open(blob_key(here.workspace.id, found.id))
    answer = send_file(
        stream, found.media_type, as_attachment=as_attachment, download_name=found.name, max_age=0
    )
    answer.headers["Cache-Control"] = "private, no-cache"
    # Whatever a browser makes of it, it runs nothing and reaches nothing.
    answer.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    answer.headers["X-Content-Type-Options"] = "nosniff"
    return answer


def blob_store() -> BlobStore:
    return FolderBlobStore(house.settings().data_folder / "files")
