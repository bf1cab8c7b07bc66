"""Which language an answer is in: the person's choice, else what the browser asks for, else English."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from gettext import NullTranslations
from typing import Any, cast

from flask import Flask, g, request
from flask_babel import Babel, force_locale, get_locale, get_translations
from jinja2 import pass_eval_context
from jinja2.nodes import EvalContext
from markupsafe import Markup

from builder.resources import resource_folder
from builder.settings import Settings

LANGUAGES = {"en": "English", "zh_Hans": "简体中文"}
DEFAULT_LANGUAGE = "en"
LANGUAGE_COOKIE = "fw_language"

# What browsers send, most of them older than script subtags. Traditional Chinese readers get the
# simplified texts rather than English.
_ASKED = {
    "en": "en",
    "zh": "zh_Hans",
    "zh-hans": "zh_Hans",
    "zh-hans-cn": "zh_Hans",
    "zh-cn": "zh_Hans",
    "zh-sg": "zh_Hans",
    "zh-hant": "zh_Hans",
    "zh-tw": "zh_Hans",
    "zh-hk": "zh_Hans",
}


def choose_language() -> str:
    """The key of LANGUAGES for the present request."""
    chosen = request.cookies.get(LANGUAGE_COOKIE, "")
    if chosen in LANGUAGES:
        return chosen
    for tag, quality in request.accept_languages:
        if quality <= 0:
            continue
        tag = tag.lower().replace("_", "-")
        if tag in _ASKED:
            return _ASKED[tag]
        if tag.partition("-")[0] in _ASKED:
            return _ASKED[tag.partition("-")[0]]
    return DEFAULT_LANGUAGE


def language() -> str:
    """The key of LANGUAGES in which the present answer is written; English where no request is answered.

    Pages ask it for every label: it is found once a request.
    """
    try:
        return cast(str, g.language)
    except AttributeError:
        g.language = str(get_locale() or DEFAULT_LANGUAGE)
        return cast(str, g.language)
    except RuntimeError:  # no application is at work
        return DEFAULT_LANGUAGE


@contextmanager
def in_language(key: str) -> Iterator[None]:
    """Write in another language than that of the present answer: a mail is read by somebody else."""
    before = {name: g.pop(name, None) for name in ("language", "texts")}
    try:
        with force_locale(key):
            yield
    finally:
        for name, value in before.items():
            g.pop(name, None)
            if value is not None:
                setattr(g, name, value)


def _texts() -> NullTranslations:
    """The catalogue of the present answer, found once a request."""
    texts = g.get("texts")
    if texts is None:
        texts = g.texts = get_translations()
    return cast(NullTranslations, texts)


@pass_eval_context
def _said(page: EvalContext, text: str, /, **values: Any) -> str:
    """``_`` of the templates, with the meaning of Jinja's own.

    That one takes the whole context, which is copied for every call within a loop: a tenth of a list's time.
    The texts are ours and may hold markup; the values are escaped.
    """
    if not values:
        return _plain(_texts(), text, bool(page.autoescape))
    said = _texts().gettext(text)
    return (Markup(said) if page.autoescape else said) % values  # noqa: S704


@lru_cache(maxsize=8192)
def _plain(texts: NullTranslations, text: str, is_markup: bool) -> str:
    said = texts.gettext(text) % {}
    return Markup(said) if is_markup else said  # noqa: S704


def add_languages(app: Flask, settings: Settings) -> Babel:
    """Wire Flask-Babel. Times are shown in UTC until a person's zone is known."""
    app.config["BABEL_TRANSLATION_DIRECTORIES"] = str(resource_folder("translations"))
    app.config["BABEL_DEFAULT_LOCALE"] = DEFAULT_LANGUAGE
    app.config["LANGUAGES"] = LANGUAGES
    babel = Babel(app, locale_selector=choose_language)
    app.jinja_env.install_gettext_callables(  # type: ignore[attr-defined]
        lambda text: _texts().gettext(text),
        lambda one, many, number: _texts().ngettext(one, many, number),
        newstyle=True,
        pgettext=lambda context, text: _texts().pgettext(context, text),
        npgettext=lambda context, one, many, number: _texts().npgettext(context, one, many, number),
    )
    app.jinja_env.globals["_"] = _said
    return babel
