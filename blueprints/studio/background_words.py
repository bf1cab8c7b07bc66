"""Scenarios and questions of the start wizard, as people read them (S23, S115)."""

from __future__ import annotations

from flask_babel import gettext, lazy_gettext

from builder.domain.pipeline import Background

SCENARIO_WORDS = {
    "new_business": (
        lazy_gettext("New business"),
        lazy_gettext("There is no process yet. Begin with stages that work elsewhere."),
        "rocket",
    ),
    "team_tuning": (
        lazy_gettext("Team tuning"),
        lazy_gettext("Everybody sells differently. Find out who does what better, and share it."),
        "users-group",
    ),
    "conversion_lift": (
        lazy_gettext("More conversion"),
        lazy_gettext("Too much is lost on the way. See in which step, and why."),
        "chart-funnel",
    ),
    "standardisation": (
        lazy_gettext("One standard"),
        lazy_gettext("All teams are to work by the same stages, forms and gates."),
        "certificate",
    ),
}
QUESTION_WORDS = {
    "current": lazy_gettext("How do you sell today: what, to whom, in which steps?"),
    "prospects": lazy_gettext("How do you find prospects?"),
    "judging": lazy_gettext("How do you judge whether a prospect is qualified?"),
    "stuck": lazy_gettext("Do opportunities often get stuck in one stage? In which?"),
}


def background_lines(background: Background) -> list[tuple[str, str]]:
    """What was answered, with the questions."""
    found = [(str(QUESTION_WORDS[name]), text) for name, text in background.answers.items()]
    if background.scenario:
        found.insert(0, (gettext("What it is to bring"), str(SCENARIO_WORDS[background.scenario][0])))
    return found
