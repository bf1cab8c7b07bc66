"""The blueprint of administration: ``/w/<workspace>/admin/…``."""

from __future__ import annotations

from flask import redirect, url_for
from werkzeug.wrappers import Response

from blueprints.scope import workspace_area

admin = workspace_area("admin", __name__, "/admin")


@admin.get("/")
def home() -> Response:
    return redirect(url_for("admin.people_list"), 303)
