"""Which language an answer is in: the person's choice, else what the browser asks for, else English."""

from __future__ import annotations

from flask import Flask, request
from flask_babel import Babel

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


def add_languages(app: Flask, settings: Settings) -> Babel:
    """Wire Flask-Babel. Times are shown in UTC until a person's zone is known."""
    app.config["BABEL_TRANSLATION_DIRECTORIES"] = str(resource_folder("translations"))
    app.config["BABEL_DEFAULT_LOCALE"] = DEFAULT_LANGUAGE
    app.config["LANGUAGES"] = LANGUAGES
    return Babel(app, locale_selector=choose_language)
