"""Options of the commands that bring files in, and the choices they stand for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from builder.services.import_choices import Choices


def _listed(_ctx: click.Context, _parameter: click.Parameter, value: str | None) -> tuple[str, ...]:
    return tuple(part.strip() for part in (value or "").split(",") if part.strip())


def _named(value: tuple[str, ...], known: tuple[str, ...]) -> dict[str, Any]:
    found = dict(text.rpartition("=")[::2] for text in value)
    for said in found.values():
        if said not in known:
            raise click.BadParameter(f"“{said}” is none of {', '.join(known)}")
    return found


def _orders_named(_c: click.Context, _p: click.Parameter, value: tuple[str, ...]) -> dict[str, Any]:
    return _named(value, ("dmy", "mdy", "ymd", "serial"))


def _marks_named(_c: click.Context, _p: click.Parameter, value: tuple[str, ...]) -> dict[str, Any]:
    return _named(value, (".", ","))


def history_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Options that say how the stages of a file are ordered and end."""
    for decorate in (
        click.option("--invalid", metavar="A,B", callback=_listed, help="Stages that mean invalid."),
        click.option("--lost", metavar="A,B", callback=_listed, help="Stages that mean lost."),
        click.option("--won", metavar="A,B", callback=_listed, help="Stages that mean won."),
        click.option("--order", metavar="A,B", callback=_listed, help="The open stages in order."),
        click.option("--create-pipeline", is_flag=True, help="Make the pipeline when it is not there yet."),
    ):
        command = decorate(command)
    return command


def common_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Options of every command that brings a file in."""
    for decorate in (
        click.option("--json", "as_json", is_flag=True, help="Answer with JSON."),
        click.option("--strict", is_flag=True, help="End with 1 when a row was refused."),
        click.option("--result", type=click.Path(dir_okay=False, path_type=Path), metavar="OUT.csv",
                     help="Write every row with its verdict and reason to this file."),
        click.option("--date-order", type=click.Choice(["dmy", "mdy", "ymd", "serial"]),
                     help="How dates such as 03/04/2021 are written, where the values do not tell."),
        click.option("--dates", multiple=True, metavar="C=ORDER", callback=_orders_named,
                     help="How the dates of column C are written: dmy, mdy, ymd or serial (days of Excel)."),
        click.option("--decimals", multiple=True, metavar="C=MARK", callback=_marks_named,
                     help="Whether a point or a comma parts the decimals of column C."),
        click.option("--footer", type=click.IntRange(0, 1000), metavar="N",
                     help="Rows at the end that are totals and notes; instead of those found."),
        click.option("--delimiter", help="Instead of the one found."),
        click.option("--encoding", help="Instead of the one found."),
        click.option("--sheet", help="Of a spreadsheet; instead of the first that holds something."),
    ):  # fmt: skip
        command = decorate(command)
    return command


def choices_of_import(options: dict[str, Any]) -> Choices:
    """What the options of ``import`` say of a file."""
    from builder.services.import_choices import Choices
    from builder.services.import_history import HistoryChoice

    history = None
    if options["load_history"]:
        for name in ("pipeline", "stage_column"):
            if not options[name]:
                raise click.UsageError(f"--load-history needs --{name.removesuffix('_column')}")
        history = HistoryChoice(
            pipeline=options["pipeline"],
            stage_column=options["stage_column"],
            create=options["create_pipeline"],
            at_column=options["at_column"],
            closed_column=options["closed_column"],
            order=options["order"],
            won=options["won"],
            lost=options["lost"],
            invalid=options["invalid"],
        )
    maps = dict(text.partition("=")[::2] for text in options["maps"])
    return Choices(
        fields={column: key or None for column, key in maps.items()},
        create_fields=options["create_fields"],
        key_column=options["key_column"],
        owner_column=options["owner_column"],
        amount_column=options["amount_column"],
        order=options["date_order"],
        orders=options["dates"],
        marks=options["decimals"],
        create_users=options["create_users"],
        create_references=options["create_references"],
        known_rows=options["known_rows"],
        entry_pipeline=None if history else options["pipeline"],
        history=history,
    )


def choices_of_log(options: dict[str, Any]) -> Choices:
    """What the options of ``load-history`` say of an event log."""
    from builder.services.import_choices import Choices
    from builder.services.import_history import HistoryChoice

    return Choices(
        key_column=options["key_column"],
        order=options["date_order"],
        orders=options["dates"],
        marks=options["decimals"],
        create_users=options["user_column"] is not None,
        mode="log",
        history=HistoryChoice(
            pipeline=options["pipeline"],
            stage_column=options["stage_column"],
            create=options["create_pipeline"],
            at_column=options["at_column"],
            amount_column=options["amount_column"],
            user_column=options["user_column"],
            order=options["order"],
            won=options["won"],
            lost=options["lost"],
            invalid=options["invalid"],
        ),
    )
