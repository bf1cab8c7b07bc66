"""How figures of Insights are written."""

from __future__ import annotations

from fractions import Fraction

import pytest
from babel import Locale
from flask import Flask
from flask_babel import Babel, force_locale

from blueprints.insights import words


@pytest.mark.parametrize(
    ("value", "locale", "told"),
    [
        (Fraction(74), "en", "74.0"),
        (Fraction(151, 2), "en", "75.5"),
        (Fraction(74), "de", "74,0"),
        (Fraction(12345), "en", "12,345.0"),
        (None, "en", words.NOTHING),
    ],
)
def test_days_have_one_decimal_always(value: Fraction | None, locale: str, told: str) -> None:
    app = Flask(__name__)
    Babel(app)
    with app.test_request_context(), force_locale(Locale.parse(locale)):
        assert words.days(value) == told
