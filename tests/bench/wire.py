"""What the board costs on the wire: with everything it needs, and when the browser has the assets already."""

from __future__ import annotations

import re

from tests.bench.documents import PIPELINE
from tests.bench.measures import ROOT, Visitor

_ASSET = re.compile(r'(?:src|href)="(/static/[^"#]+)')


def board_sizes(visitor: Visitor) -> tuple[int, int]:
    """Bytes of bodies of the first visit to the board and of a later one."""
    page = visitor.browser.get(f"{ROOT}/p/{PIPELINE}/board")
    assets = set(_ASSET.findall(page.text))
    total = 0
    for path in assets:
        answer = visitor.browser.get(path)
        if answer.status != 200:
            raise SystemExit(f"{path} answers {answer.status}")
        total += answer.size
    return page.size + total, page.size
