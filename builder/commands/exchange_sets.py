"""import-together: several linked files in one run, by the same services as the screen."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from builder.commands.context import open_workspace, print_json, read_settings
from builder.errors import N_, FunnelwrightError, Invalid

if TYPE_CHECKING:
    from builder.db.imports import ImportJob
    from builder.exchange.blobs import BlobStore
    from builder.services.unit_of_work import UnitOfWork

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
UNLIKE = N_("Nothing tells what the rows of %(file)s become. Name an object for it, or leave the file out.")


@click.command("import-together")
@click.argument("files", type=_FILE, nargs=-1, required=True)
@click.option("-w", "--workspace", "workspace", required=True, metavar="W", help="The workspace's key.")
@click.option("--as", "objects", multiple=True, metavar="FILE=OBJECT", help="What the rows of a file become.")
@click.option("--json", "as_json", is_flag=True, help="Answer with JSON.")
@click.option("--strict", is_flag=True, help="End with 1 when a row was refused.")
def import_together(
    files: tuple[Path, ...], workspace: str, objects: tuple[str, ...], as_json: bool, strict: bool
) -> None:
    """Import linked FILES one after another: first what others refer to, found by the other system's ids.

    Each file becomes the object that it is called like or that has most of its columns, unless --as says
    otherwise; exports of known products are recognised.
    """
    from builder.exchange.blobs import FolderBlobStore
    from builder.services.import_runs import run
    from builder.services.import_sets import following, start

    blobs = FolderBlobStore(read_settings().data_folder / "files")
    said = dict(text.rpartition("=")[::2] for text in objects)
    unknown = set(said) - {file.name for file in files}
    if unknown:
        raise click.UsageError(f"--as names no file of these: {', '.join(sorted(unknown))}")
    with open_workspace(workspace) as uow:
        jobs = _received(uow, blobs, files, said)
        names = {job.id: file.name for job, file in zip(jobs, files, strict=True)}
        try:
            started = start(uow, blobs, jobs)
        except BaseException:
            _forget(blobs, jobs)
            raise
        uow.commit()
        later: int | None = started[0].id
        while later is not None:
            run(uow, blobs, later)
            later = following(uow, later)
        uow.session.expire_all()
        _report(started, names, as_json=as_json)
        if strict and any(job.refused_rows for job in started):
            sys.exit(1)


def _received(
    uow: UnitOfWork, blobs: BlobStore, files: tuple[Path, ...], said: dict[str, str]
) -> list[ImportJob]:
    """The files as jobs of one set; of one that cannot be read, none is kept."""
    from builder.services.import_set_objects import likely_object, set_object
    from builder.services.import_sets import bind
    from builder.services.imports import column_profile, receive

    jobs: list[ImportJob] = []
    try:
        for file in files:
            with file.open("rb") as stream:
                jobs.append(receive(uow, blobs, stream, file.name, next(iter(uow.catalog.objects), "")))
            profile = column_profile(blobs, jobs[-1])
            wanted = said.get(file.name) or likely_object(uow, profile, file.name)
            if wanted is None:
                raise Invalid(UNLIKE, file=file.name)
            set_object(uow, jobs[-1], wanted)
        bind(uow, jobs)
    except FunnelwrightError:
        _forget(blobs, jobs)
        raise
    return jobs


def _forget(blobs: BlobStore, jobs: list[ImportJob]) -> None:
    """Nothing of the jobs is committed, so nothing will ever ask for their files."""
    from builder.services.imports import blob_key

    for job in jobs:
        blobs.delete(blob_key(job.workspace_id, job.file_id))


def _report(jobs: list[ImportJob], names: dict[int, str], *, as_json: bool) -> None:
    facts = [
        {
            "file": names[job.id],
            "object": job.object_key,
            "status": job.status,
            "created": job.created_rows,
            "updated": job.updated_rows,
            "unchanged": job.unchanged_rows,
            "refused": job.refused_rows,
        }
        for job in jobs
    ]
    if as_json:
        print_json(facts)
        return
    for each in facts:
        counts = ", ".join(f"{each[name]} {name}" for name in ("created", "updated", "unchanged", "refused"))
        click.echo(f"{each['file']} → {each['object']}: {counts} ({each['status']})")
