"""The blueprint of the Studio: ``/w/<workspace>/studio/…``."""

from __future__ import annotations

from blueprints.scope import workspace_area

studio = workspace_area("studio", __name__, "/studio")
