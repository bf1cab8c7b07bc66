"""Figures of Insights as tables of a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

import click

from builder.commands.report_documents import group_key, json_number, major, stage_name

if TYPE_CHECKING:
    from builder.domain.pipeline import Pipeline
    from builder.queries.funnel import FunnelReport
    from builder.queries.stays import StayReport
    from builder.queries.wins import WinReport


def print_wins(found: WinReport, locale: str) -> None:
    """Wins and losses, one line a group."""
    lines = [("Total", found.total)]
    lines += [(group_key(group.name, locale) or "(none)", group.figures) for group in found.groups]
    rows = []
    for label, figures in lines:
        counts = figures.counts
        rows.append(
            (
                label,
                figures.opportunities,
                counts.won,
                counts.lost,
                counts.invalid,
                counts.open,
                _percent(figures.win_rate),
                _percent(figures.won_share),
                _plain(major(counts.won_minor, found.currency)),
                _plain(json_number(counts.cycle.median)),
            )
        )
    amount = f"won {found.currency}".strip()
    _print_table(
        ("", "all", "won", "lost", "invalid", "open", "win rate", "won share", amount, "days (median)"), rows
    )


def print_funnel(found: FunnelReport, pipeline: Pipeline, locale: str) -> None:
    """One line a step, and whether the identity of M1 holds."""
    click.echo(found.figures.definition)
    rows = [
        (
            stage_name(pipeline, step.stage, locale),
            step.entered,
            step.reached,
            "—" if step.denominator is None else f"{step.numerator}/{step.denominator}",
            _percent(step.rate),
            _percent(step.cumulative),
            step.still_there,
            _plain(major(step.amount_minor, found.currency)),
        )
        for step in found.figures.steps
    ]
    amount = f"amount {found.currency}".strip()
    _print_table(("", "entered", "reached", "to next", "rate", "of first", "still there", amount), rows)
    click.echo("Identity of M1: holds." if found.figures.identity else "Identity of M1: BROKEN.")


def print_stays(found: StayReport, pipeline: Pipeline, locale: str) -> None:
    """One line a stage, then one a pair of stages."""
    rows = [
        (
            stage_name(pipeline, time.stage_key, locale),
            time.n,
            _plain(json_number(time.mean_seconds)),
            _plain(json_number(time.median_seconds)),
            time.running,
        )
        for time in found.stages
    ]
    _print_table(("", "completed", "mean s", "median s", "running"), rows)
    click.echo()
    pairs = [
        (
            stage_name(pipeline, pair.source, locale),
            stage_name(pipeline, pair.target, locale),
            pair.n,
            _plain(json_number(pair.mean_seconds)),
        )
        for pair in found.follows
    ]
    _print_table(("from", "to", "n", "mean s"), pairs)


def _percent(value: Fraction | None) -> str:
    return "—" if value is None else f"{float(value):.2%}"


def _plain(value: int | float | None) -> str:
    if value is None:
        return "—"
    return f"{value:,}" if isinstance(value, int) else f"{value:,.2f}"


def _print_table(headers: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Columns as wide as their longest text: words to the left, the rest to the right."""
    texts = [tuple(str(cell) for cell in row) for row in rows]
    widths = [max(len(cell) for cell in column) for column in zip(headers, *texts, strict=True)]
    for line in (tuple(headers), *texts):
        first, *others = (
            cell.ljust(width) if place == 0 else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(line, widths, strict=True))
        )
        click.echo("  ".join((first, *others)).rstrip())
