"""What a file is, told from its bytes alone: names and what browsers claim are not asked."""

from __future__ import annotations

import codecs
from typing import BinaryIO

import filetype

# Enough for every signature that the library knows, the inner names of Office files among them.
_HEAD = 8192

TEXT, UNKNOWN = "text/plain", "application/octet-stream"


def media_type(stream: BinaryIO) -> str:
    """The media type of a file that stands at its beginning, and stands there again afterwards.

    Text is ``text/plain`` whatever it says (HTML, SVG, scripts): nothing of it is ever run.
    """
    head = stream.read(_HEAD)
    stream.seek(0)
    known = filetype.guess(head)
    if known is not None:
        return str(known.mime)
    return TEXT if head and _is_text(head) else UNKNOWN


def _is_text(head: bytes) -> bool:
    if b"\x00" in head:
        return False
    try:
        # The last character may be cut.
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return False
    return True
