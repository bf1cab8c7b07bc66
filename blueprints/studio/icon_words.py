"""What the icons of the palette are called."""

from __future__ import annotations

from flask_babel import pgettext

from builder.icons import palette_icons


def icon_words() -> dict[str, str]:
    """The icons that admins may give, each with its name in the reader's language."""
    return {icon: pgettext("icon", name) for icon, name in palette_icons().items()}
