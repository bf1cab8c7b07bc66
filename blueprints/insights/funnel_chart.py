"""The charts of the funnel page and the links from their figures to the lists behind them."""

from __future__ import annotations

from urllib.parse import quote

from flask import g, url_for
from flask_babel import gettext

from blueprints.insights import words
from blueprints.insights.question import Question
from blueprints.messages import local
from builder.charts.chart import Cell, Chart
from builder.charts.funnel import FunnelBar, funnel_chart
from builder.domain.funnel import StepFigures
from builder.queries.funnel import FunnelReport, Snapshot


def label(question: Question, stage: str) -> str:
    return str(local(question.pipeline.by_key[stage].label))


def drill_link(question: Question, figure: str, stage: str, **more: str) -> str:
    # A page has a hundred of these: what they share is written once.
    if more:
        return url_for("insights.drill", **question.changed(figure=figure, stage=stage, **more))
    return f"{drill_stem(question)}&figure={quote(figure)}&stage={quote(stage)}"


def drill_stem(question: Question) -> str:
    """The address of the lists behind this page, to be told figure and stage; made once a request."""
    stems: dict[int, str] = g.setdefault("drill_stems", {})
    if id(question) not in stems:
        stems[id(question)] = url_for("insights.drill", **question.args)
    return stems[id(question)]


def period_chart(question: Question, report: FunnelReport) -> Chart:
    is_amount = question.measure == "amount"
    reached = "entered" if question.mode == "stay" else "reached"
    bars = []
    for step in report.figures.steps:
        stage = question.pipeline.by_key[step.stage]
        count = getattr(step, reached)
        text = words.money(step.amount_minor, report.currency) if is_amount else words.number(count)
        link = drill_link(question, "entered" if question.mode == "stay" else "denominator", step.stage)
        value = step.amount_minor / 100 if is_amount else count
        bars.append(
            FunnelBar(
                label(question, step.stage),
                value,
                text,
                link if count else "",
                (
                    Cell(label(question, step.stage), note=words.percent(step.cumulative)),
                    Cell(text, link if count else "", is_number=True),
                    Cell(
                        fraction(step),
                        drill_link(question, "numerator", step.stage) if step.numerator else "",
                        is_number=True,
                    ),
                    Cell(words.percent(step.rate), is_number=True),
                    Cell(words.percent(step.cumulative), is_number=True),
                    Cell(words.percent(step.win_rate), is_number=True),
                ),
                stage.color,
            )
        )
    what = gettext("Visits") if question.mode == "stay" else gettext("Reached")
    return funnel_chart(
        bars,
        title=str(local(question.pipeline.label)),
        description=str(words.mode_words(question.mode).sentence),
        measure=gettext("Amount") if is_amount else what,
        headers=(
            gettext("Stage"),
            gettext("Amount") if is_amount else what,
            gettext("Went on"),
            gettext("Rate"),
            gettext("Of the first"),
            gettext("Win rate from here"),
        ),
    )


def snapshot_chart(question: Question, found: Snapshot) -> Chart:
    is_amount = question.measure == "amount"
    # Nothing is weighted by a probability that the reader does not see.
    shown = (1 + question.has_probabilities) if question.has_amounts else 0
    bars = []
    for stock in found.stages:
        stage = question.pipeline.by_key[stock.stage]
        link = drill_link(question, "now", stock.stage) if stock.n else ""
        amount = words.money(stock.amount_minor, found.currency)
        money = (
            Cell(amount, is_number=True),
            Cell(words.money(stock.weighted_minor, found.currency), is_number=True),
        )
        bars.append(
            FunnelBar(
                label(question, stock.stage),
                stock.amount_minor / 100 if is_amount else stock.n,
                amount if is_amount else words.number(stock.n),
                link,
                (
                    Cell(label(question, stock.stage)),
                    Cell(words.number(stock.n), link, is_number=True),
                    *money[:shown],
                ),
                stage.color,
            )
        )
    return funnel_chart(
        bars,
        title=str(local(question.pipeline.label)),
        description=gettext("What is open now, by stage."),
        measure=gettext("Amount") if is_amount else gettext("Open now"),
        headers=(
            gettext("Stage"),
            gettext("Open now"),
            *(gettext("Amount"), gettext("Weighted amount"))[:shown],
        ),
    )


def fraction(step: StepFigures) -> str:
    if step.denominator is None:
        return words.NOTHING
    return f"{words.number(step.numerator or 0)} / {words.number(step.denominator)}"
