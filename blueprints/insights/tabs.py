"""Tabs of the funnel pages: the ways of counting, the funnels that there are."""

from __future__ import annotations

from typing import Any

from flask import url_for
from flask_babel import gettext

from blueprints.insights import words
from blueprints.insights.question import Question
from blueprints.messages import local
from blueprints.scope import Scope
from builder.domain.funnel import MODES, UNLESS_LOST


def mode_tabs(question: Question, endpoint: str, **more: Any) -> list[tuple[str, str, bool, Any]]:
    """(mode, address, is it the current one, its words); the option of *filled* belongs to it."""
    current = "filled" if question.mode == UNLESS_LOST else question.mode
    return [
        (mode, url_for(endpoint, **more, **question.changed(mode=mode)), current == mode, words.MODES[mode])
        for mode in MODES
    ]


def lost_tabs(question: Question) -> list[tuple[str, str, bool]]:
    """Whether lost records fill the steps that they skipped; empty where no mode fills."""
    if question.mode not in ("filled", UNLESS_LOST):
        return []
    choices = (("filled", gettext("Lost ones fill too")), (UNLESS_LOST, gettext("Lost ones do not fill")))
    return [
        (text, url_for("insights.funnel", **question.changed(mode=mode)), question.mode == mode)
        for mode, text in choices
    ]


def funnel_tabs(here: Scope, current: str = "") -> list[tuple[str, str, bool, None]]:
    """The page of one pipeline and the funnels over several; empty when there are none."""
    if not here.catalog.funnels:
        return []
    pages = [(gettext("One pipeline"), url_for("insights.funnel"), not current, None)]
    for key, definition in here.catalog.funnels.items():
        pages.append(
            (str(local(definition.label)), url_for("insights.chained", key=key), key == current, None)
        )
    return pages
