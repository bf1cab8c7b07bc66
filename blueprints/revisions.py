"""Every change of a stored thing names what it was made from: the revision that the person saw (S27)."""

from __future__ import annotations

from htmx_flask import request

from builder.errors import N_, Malformed

NO_REVISION = N_(
    "What was sent does not say which state it was made from. Open the page again and repeat the change."
)
_DIGITS = 9


def sent_revision(name: str = "revision") -> int:
    """The revision in the sent form, 1 and up.

    Errors: Malformed when it is missing or no number: without it the change of somebody else could be
    overwritten unseen, so nothing is written.
    """
    text = request.form.get(name, "")
    if not (text.isascii() and text.isdecimal() and len(text) <= _DIGITS and int(text) > 0):
        raise Malformed(NO_REVISION)
    return int(text)
