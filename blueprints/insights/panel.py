"""The answer with a panel alone: what htmx exchanges when a choice was made."""

from __future__ import annotations

from typing import Any

from flask import Response, make_response, render_template
from htmx_flask import request


def panel_answer(template: str, address: str, panel: dict[str, Any]) -> Response:
    """A panel for htmx; the address bar gets its shortest form, unless the panel refreshed itself."""
    answer = make_response(render_template(template, **panel))
    if request.htmx.trigger != request.htmx.target:
        answer.headers["HX-Push-Url"] = address
    return answer
