"""The built assets are there, named by their content, compressed, and small enough."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import brotli
import pytest
from flask.testing import FlaskClient

from builder.assets import AssetsNotBuilt, asset_url, icon_url
from builder.resources import resource_folder

STATIC = resource_folder("static")
BUNDLES = ("css", "icons", "core", "board", "charts", "theme")


def built(client: FlaskClient, bundle: str) -> Path:
    with client.application.test_request_context():
        return STATIC / asset_url(bundle).removeprefix("/static/")


@pytest.mark.parametrize("bundle", BUNDLES)
def test_a_bundle_is_served_for_ever_under_the_name_of_its_content(client: FlaskClient, bundle: str) -> None:
    with client.application.test_request_context():
        address = asset_url(bundle)
    answer = client.get(address, headers={"Accept-Encoding": "identity"})

    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "max-age=315360000, public, immutable"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "Access-Control-Allow-Origin" not in answer.headers
    assert answer.data == built(client, bundle).read_bytes()


@pytest.mark.parametrize("bundle", BUNDLES)
def test_a_bundle_is_sent_compressed_and_unfolds_to_itself(client: FlaskClient, bundle: str) -> None:
    path = built(client, bundle)
    with client.application.test_request_context():
        address = asset_url(bundle)

    small = client.get(address, headers={"Accept-Encoding": "br, gzip"})
    assert small.headers["Content-Encoding"] == "br"
    assert brotli.decompress(small.data) == path.read_bytes()
    old = client.get(address, headers={"Accept-Encoding": "gzip"})
    assert old.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(old.data) == path.read_bytes()


def test_the_assets_of_a_first_visit_to_the_board_leave_room_for_the_page(client: FlaskClient) -> None:
    """Brotli and gzip both: 250 kB on the wire is what the first visit may take, 40 kB of it the page."""
    for suffix, limit in ((".br", 160_000), (".gz", 210_000)):
        sizes = [
            built(client, bundle).with_name(built(client, bundle).name + suffix).stat().st_size
            for bundle in ("css", "icons", "core", "board", "theme")
        ]
        assert sum(sizes) < limit


def test_the_style_sheet_holds_ours_after_tabler(client: FlaskClient) -> None:
    css = built(client, "css").read_text("utf-8")

    assert css.index(".navbar-vertical") < css.index(".page-head-actions")
    assert "sourceMappingURL" not in css


def test_scripts_hold_our_behaviours_and_no_source_maps(client: FlaskClient) -> None:
    core = built(client, "core").read_text("utf-8")

    assert "htmx:configRequest" in core
    assert "X-CSRFToken" in core
    assert "sourceMappingURL" not in core


def test_no_asset_loads_anything_from_another_host(client: FlaskClient) -> None:
    css = built(client, "css").read_text("utf-8")

    assert "url(http" not in css
    assert "url(//" not in css
    assert "@import" not in css


def test_an_icon_in_use_is_drawn_and_an_unknown_one_is_an_error_in_tests(client: FlaskClient) -> None:
    with client.application.test_request_context():
        assert icon_url("search").endswith("#search")
        with pytest.raises(AssetsNotBuilt, match="no-such-icon"):
            icon_url("no-such-icon")


def test_the_manifest_names_only_files_that_are_there() -> None:
    manifest = json.loads((STATIC / "dist/manifest.json").read_text("utf-8"))

    assert {Path(output).name.partition(".")[0] for output in manifest} == set(BUNDLES)
    for output, version in manifest.items():
        assert (STATIC / (output % {"version": version})).is_file()


def test_a_path_outside_the_static_folder_is_not_served(client: FlaskClient) -> None:
    assert client.get("/static/../pyproject.toml").status_code == 404
    assert client.get("/static/%2e%2e/pyproject.toml").status_code == 404
