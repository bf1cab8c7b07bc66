"""import and load-history: files into a workspace, by the same services as the screen."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from builder.commands.context import open_workspace, print_json, read_settings
from builder.commands.import_options import choices_of_import, choices_of_log, common_options, history_options
from builder.commands.import_report import Bar, tell_check, tell_result
from builder.errors import N_, Invalid

if TYPE_CHECKING:
    from builder.db.imports import ImportJob
    from builder.exchange.blobs import BlobStore
    from builder.exchange.profile import TableProfile
    from builder.services.import_choices import Choices
    from builder.services.unit_of_work import UnitOfWork

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command("import")
@click.argument("file", type=_FILE)
@click.option("-w", "--workspace", "workspace", required=True, metavar="W", help="The workspace's key.")
@click.option("--object", "object_key", required=True, metavar="O", help="The object that rows become.")
@click.option("--key", "key_column", metavar="C", help="Column by which a row is known again: it updates.")
@click.option("--map", "maps", multiple=True, metavar="C=FIELD", help="Column C fills FIELD (empty: none).")
@click.option(
    "--preset", metavar="P", help="Take the file as one of this product; “auto”: as its headers tell."
)
@click.option("--mapping", metavar="NAME", help="Take the columns as they were saved under this name.")
@click.option("--save-mapping", metavar="NAME", help="Save what is said of the columns under this name.")
@click.option("--create-fields", is_flag=True, help="Make a field of each column that no field is like.")
@click.option("--create-users", is_flag=True, help="Add colleagues without sign-in for unknown names.")
@click.option("--create-references", is_flag=True, help="Create records that reference columns name.")
@click.option(
    "--known-rows",
    type=click.Choice(["change", "leave", "refuse"]),
    default="change",
    show_default=True,
    help="What becomes of rows whose record is here already.",
)
@click.option("--load-history", is_flag=True, help="Rows tell stages and times of the past.")
@click.option("--pipeline", metavar="P", help="The pipeline (name or key); without --load-history, entered.")
@click.option("--stage", "stage_column", metavar="C", help="Column of the present stage.")
@click.option("--at", "at_column", metavar="C", help="Column: when it entered its first known stage.")
@click.option("--closed", "closed_column", metavar="C", help="Column: when it entered its closing stage.")
@click.option("--amount", "amount_column", metavar="C", help="Column of the amount.")
@click.option("--owner", "owner_column", metavar="C", help="Column of the owner.")
@click.option("--dry-run", is_flag=True, help="Check every row and write nothing.")
@click.option("--background", is_flag=True, help="Leave the work to a worker (or the running server).")
@history_options
@common_options
def import_(file: Path, workspace: str, object_key: str, **options: Any) -> None:
    """Import the rows of FILE (CSV, also packed with gzip).

    Ends with 0 when the file was carried out, even where rows were refused (each is told with its reason),
    with 1 when it was not, or when --strict is given and a row was refused.
    """
    choices = choices_of_import(options)
    _carry_out(file, workspace, object_key, choices, options)


@click.command("load-history")
@click.argument("file", type=_FILE)
@click.option("-w", "--workspace", "workspace", required=True, metavar="W", help="The workspace's key.")
@click.option("--pipeline", required=True, metavar="NAME", help="The pipeline (name or key).")
@click.option(
    "--object", "object_key", metavar="O", help="The object of the records (default: the pipeline's)."
)
@click.option("--key", "key_column", required=True, metavar="C", help="Column of the record (case).")
@click.option("--stage", "stage_column", required=True, metavar="C", help="Column of the stage entered.")
@click.option("--at", "at_column", required=True, metavar="C", help="Column of the time of entry.")
@click.option("--user", "user_column", metavar="C", help="Column: who brought the record there.")
@click.option("--amount", "amount_column", metavar="C", help="Column of the amount then.")
@history_options
@common_options
def load_history(file: Path, workspace: str, object_key: str | None, **options: Any) -> None:
    """Load an event log: one record a key, one visit of a stage a row, in the order of time and file.

    Ends with 0 when the file was carried out, even where records were refused, with 1 when it was not, or
    when --strict is given and a row was refused.
    """
    _carry_out(file, workspace, object_key, choices_of_log(options), options)


def _carry_out(
    file: Path, workspace: str, object_key: str | None, choices: Choices, options: dict[str, Any]
) -> None:
    from builder.exchange.blobs import FolderBlobStore

    blobs = FolderBlobStore(read_settings().data_folder / "files")
    with open_workspace(workspace) as uow:
        object_key = object_key or _object_of(uow, choices)
        job = _prepare(uow, blobs, file, object_key, choices, options)
        if options.get("dry_run"):
            _dry_run(uow, blobs, job, options)
            return
        if options.get("background"):
            _leave_to_worker(uow, job, options)
            return
        _run(uow, blobs, job, options)


def _object_of(uow: UnitOfWork, choices: Choices) -> str:
    """The object of the pipeline, else the first one of the workspace that has a pipeline, else the first."""
    from builder.services.import_history import find_pipeline

    assert choices.history is not None
    known = find_pipeline(uow.catalog.pipelines.values(), choices.history.pipeline)
    if known is not None:
        return known.object_key
    with_pipeline = {pipeline.object_key for pipeline in uow.catalog.pipelines.values()}
    objects = [key for key in uow.catalog.objects if key in with_pipeline] or list(uow.catalog.objects)
    if not objects:
        raise Invalid(N_("The workspace has no objects yet. Install an industry template first."))
    return max(objects, key=lambda key: len(uow.catalog.pipelines_of(key)))


def _prepare(
    uow: UnitOfWork, blobs: BlobStore, file: Path, object_key: str, choices: Choices, options: dict[str, Any]
) -> ImportJob:
    """Keep the file, make the plan, publish what it needs, and queue the job: one transaction."""
    from builder.services import imports

    with file.open("rb") as stream:
        job = imports.receive(uow, blobs, stream, file.name, object_key)
    try:
        return _planned(uow, blobs, job, choices, options)
    except BaseException:
        # Nothing of the job is committed, so nothing will ever ask for its file.
        blobs.delete(imports.blob_key(job.workspace_id, job.file_id))
        raise


def _planned(
    uow: UnitOfWork, blobs: BlobStore, job: ImportJob, choices: Choices, options: dict[str, Any]
) -> ImportJob:
    from builder.exchange.profile import profile
    from builder.services import imports
    from builder.services.import_choices import with_order
    from builder.services.import_mappings import save_mapping
    from builder.services.import_setup import carry_out, plan_import

    file_format = _format(blobs, job, options)
    with imports.OpenFile(blobs, job, file_format) as table:
        columns = profile(table)
        choices = with_order(choices, table, columns)
    choices = _from_preset(uow, columns, job.object_key, choices, options)
    if choices.joins:
        file_format = replace(file_format, joins=choices.joins)
        with imports.OpenFile(blobs, job, file_format) as table:
            columns = profile(table)
    proposal = plan_import(uow, columns, file_format, job.object_key, choices)
    proposal.refuse_questions()
    if options.get("save_mapping") and not options.get("dry_run"):
        save_mapping(uow, job.object_key, options["save_mapping"], columns, choices, proposal)
    if options.get("dry_run"):
        imports.set_proposal(uow, job, proposal, columns.rows)
        return job
    plan = carry_out(uow, proposal)
    imports.set_plan(uow, job, plan, columns.rows)
    imports.queue(uow, job)
    return job


def _from_preset(
    uow: UnitOfWork, columns: TableProfile, object_key: str, choices: Choices, options: dict[str, Any]
) -> Choices:
    """What the named preset or mapping proposes, with what else was said on the command line."""
    from builder.exchange.presets import recognised
    from builder.services.import_choices import with_said
    from builder.services.import_mappings import find_mapping, mapping_choices
    from builder.services.import_presets import find_preset, preset_choices

    definition = uow.catalog.object(object_key)
    if options.get("mapping"):
        mapping_id = find_mapping(uow, object_key, options["mapping"])
        return with_said(mapping_choices(uow, mapping_id, columns, definition), choices)
    wanted = options.get("preset")
    known = recognised(columns) if wanted in (None, "auto") else None
    if wanted is None:
        if known is not None and "preset" in options and not options["as_json"]:
            click.echo(f"The headers are those of {known.label.text('en')}: --preset {known.key}", err=True)
        return choices
    preset = known if wanted == "auto" else find_preset(wanted)
    if preset is None:
        raise Invalid(N_("The headers of the file are those of no preset."))
    return with_said(preset_choices(uow, preset, columns, definition), choices)


def _format(blobs: BlobStore, job: ImportJob, options: dict[str, Any]) -> Any:
    from builder.exchange.detection import DELIMITERS, FileFormat
    from builder.services.imports import footer_found

    found = FileFormat.from_document(job.options["format"])
    if options["sheet"]:
        if found.sheet is None:
            raise click.UsageError("--sheet is for spreadsheets only")
        found = replace(found, sheet=options["sheet"])
    if options["encoding"]:
        found = replace(found, encoding=options["encoding"])
    if options["delimiter"]:
        delimiter = {"tab": "\t", "\\t": "\t"}.get(options["delimiter"], options["delimiter"])
        if delimiter not in DELIMITERS:
            raise click.UsageError("--delimiter is one of , ; | and tab")
        found = replace(found, delimiter=delimiter)
    if options["sheet"] or options["delimiter"]:
        found = footer_found(blobs, job, found)
    if found.footer and options["footer"] is None and not options["as_json"]:
        click.echo(
            f"Left out at the end as totals or notes: {found.footer} rows (--footer 0 takes them).", err=True
        )
    return found if options["footer"] is None else replace(found, footer=options["footer"])


def _run(uow: UnitOfWork, blobs: BlobStore, job: ImportJob, options: dict[str, Any]) -> None:
    from builder.services.import_runs import run

    uow.commit()
    begun = time.monotonic()
    bar = Bar()
    done = run(uow, blobs, job.id, on_progress=bar.show)
    bar.end()
    tell_result(uow, blobs, done, time.monotonic() - begun, options)


def _dry_run(uow: UnitOfWork, blobs: BlobStore, job: ImportJob, options: dict[str, Any]) -> None:
    from builder.services.import_checks import check_file
    from builder.services.imports import blob_key

    key = blob_key(job.workspace_id, job.file_id)
    try:
        report = check_file(uow, blobs, job)
    finally:
        uow.rollback()
        blobs.delete(key)
    tell_check(report, options)


def _leave_to_worker(uow: UnitOfWork, job: ImportJob, options: dict[str, Any]) -> None:
    from builder.db.ids import to_public
    from builder.jobs.queue import open_queue

    with open_queue(read_settings()) as queue:
        queue.enqueue_import(uow.session, uow.workspace.key, job.id)
        uow.commit()
    if options["as_json"]:
        print_json({"import": to_public(job.id), "status": job.status})
    else:
        click.echo("The import is queued; a worker or the running server carries it out.")
