"""Figures of Insights as JSON.

Amounts are plain numbers in major units of ``currency``, rates are fractions of 1, ``null`` where there is
nothing to divide by.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from builder.domain.funnel import FunnelFigures
    from builder.domain.pipeline import Pipeline
    from builder.domain.wins import WinFigures
    from builder.queries.dimensions import GroupName
    from builder.queries.funnel import FunnelReport
    from builder.queries.stays import StayReport
    from builder.queries.wins import WinReport

_FLOW = (
    "entered",
    "advanced",
    "back",
    "repeated",
    "won",
    "lost",
    "invalid",
    "changed_pipeline",
    "migrated",
    "still_there",
)


def json_number(value: Fraction | float | int | None) -> int | float | None:
    """A JSON number: whole ones without a point."""
    if value is None:
        return None
    return int(value) if value == int(value) else float(value)


def _rate(value: Fraction | None) -> float | None:
    return None if value is None else float(value)


def major(minor: Fraction | float | int | None, currency: str) -> int | float | None:
    """Minor units as a plain number of major units."""
    from builder.domain.money import exponent

    if minor is None:
        return None
    return json_number(Fraction(minor) / 10 ** (exponent(currency) if currency else 0))


def group_key(name: GroupName, locale: str) -> str | None:
    """What a group is called; none for records without a value."""
    return name.label.text(locale) if name.label else name.text


def wins_document(found: WinReport, locale: str) -> dict[str, Any]:
    """Wins and losses with their groups."""
    document: dict[str, Any] = {
        "currency": found.currency,
        "total": _wins_figures(found.total, found.currency),
        "groups": [
            {"key": group_key(group.name, locale), **_wins_figures(group.figures, found.currency)}
            for group in found.groups
        ],
    }
    return document


def _wins_figures(figures: WinFigures, currency: str) -> dict[str, Any]:
    counts = figures.counts
    return {
        "opportunities": figures.opportunities,
        "won": counts.won,
        "lost": counts.lost,
        "invalid": counts.invalid,
        "open": counts.open,
        "win_rate": _rate(figures.win_rate),
        "win_rate_broad": _rate(figures.win_rate_broad),
        "win_rate_by_value": _rate(figures.win_rate_by_value),
        "won_share": _rate(figures.won_share),
        "won_amount": major(counts.won_minor, currency),
        "average_won": major(figures.average_won_minor, currency),
        "median_won": major(counts.median_won_minor, currency),
        "cycle_days": {
            "n": counts.cycle.n,
            "mean": json_number(counts.cycle.mean),
            "median": json_number(counts.cycle.median),
        },
        "other_currency": counts.other_currency,
    }


def stage_name(pipeline: Pipeline, key: str, locale: str) -> str:
    """As people call it; the key of a stage that is gone."""
    stage = pipeline.by_key.get(key)
    return stage.label.text(locale) if stage else key


def funnel_document(found: FunnelReport, pipeline: Pipeline, locale: str) -> dict[str, Any]:
    """The steps of a funnel, of all and of each group."""
    document: dict[str, Any] = {
        "definition": found.figures.definition,
        "mode": found.figures.mode,
        "currency": found.currency,
        "steps": _steps(found.figures, pipeline, found.currency, locale),
        "identity": found.figures.identity,
    }
    if found.groups:
        document["groups"] = [
            {
                "key": group_key(group.name, locale),
                "steps": _steps(group.figures, pipeline, found.currency, locale),
                "identity": group.figures.identity,
            }
            for group in found.groups
        ]
    return document


def _steps(figures: FunnelFigures, pipeline: Pipeline, currency: str, locale: str) -> list[dict[str, Any]]:
    return [
        {
            "stage": stage_name(pipeline, step.stage, locale),
            **{name: getattr(step, name) for name in _FLOW},
            "numerator": step.numerator,
            "denominator": step.denominator,
            "rate": _rate(step.rate),
            "reached": step.reached,
            "cumulative": _rate(step.cumulative),
            "win_rate": _rate(step.win_rate),
            "amount": major(step.amount_minor, currency),
            "key": step.stage,
        }
        for step in figures.steps
    ]


def stays_document(found: StayReport, pipeline: Pipeline, locale: str) -> dict[str, Any]:
    """Times in each stage and which follows which."""
    return {
        "stages": [
            {
                "stage": stage_name(pipeline, time.stage_key, locale),
                "n": time.n,
                "mean_seconds": json_number(time.mean_seconds),
                "median_seconds": json_number(time.median_seconds),
                "entered": time.entered,
                "running": time.running,
                "key": time.stage_key,
            }
            for time in found.stages
        ],
        "directly_follows": [
            {
                "from": stage_name(pipeline, pair.source, locale),
                "to": stage_name(pipeline, pair.target, locale),
                "n": pair.n,
                "mean_seconds": json_number(pair.mean_seconds),
            }
            for pair in found.follows
        ],
    }
