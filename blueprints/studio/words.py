"""What settings, parts in the process and colours are called."""

from __future__ import annotations

from flask_babel import gettext


def enum_words() -> dict[str, str]:
    """What the values of settings are called; a value without a word is shown as it is."""
    return {
        "any": gettext("any number"),
        "not_negative": gettext("not negative"),
        "positive": gettext("greater than zero"),
        "0_to_100": gettext("0 to 100"),
        "select": gettext("a list that unfolds"),
        "radio": gettext("all options at once"),
        "second": gettext("seconds"),
        "minute": gettext("minutes"),
        "hour": gettext("hours"),
        "day": gettext("days"),
        "count": gettext("count them"),
        "sum": gettext("add them up"),
        "min": gettext("the least"),
        "max": gettext("the greatest"),
    }


def role_words() -> dict[str, str]:
    """What the parts that a field may have in the process are called."""
    return {
        "name": gettext("the name of the record"),
        "number": gettext("its number"),
        "amount": gettext("its amount"),
        "currency": gettext("the currency of the amount"),
        "expected_close": gettext("when it is expected to close"),
        "probability": gettext("its probability"),
        "forecast_category": gettext("its forecast category"),
        "owner": gettext("its owner"),
        "source": gettext("where it came from"),
        "account": gettext("the customer it belongs to"),
        "happened_at": gettext("when it happened"),
        "channel": gettext("the channel, such as call or mail"),
        "average_cycle": gettext("the average sales cycle of a product, in days"),
        "reminder_days": gettext("how many days before its end to remind"),
    }


def color_words() -> dict[str, str]:
    return {
        "blue": gettext("blue"),
        "azure": gettext("azure"),
        "indigo": gettext("indigo"),
        "purple": gettext("purple"),
        "pink": gettext("pink"),
        "red": gettext("red"),
        "orange": gettext("orange"),
        "yellow": gettext("yellow"),
        "lime": gettext("lime"),
        "green": gettext("green"),
        "teal": gettext("teal"),
        "cyan": gettext("cyan"),
        "gray": gettext("gray"),
    }
