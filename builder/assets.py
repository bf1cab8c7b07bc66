"""Front-end assets: bundles of npm packages and our own CSS and JavaScript, made by flask-assets.

`python -m builder.assets` (`make build`) writes them to static/dist with the checksum of their content in
the name, each also compressed with gzip and brotli; a running server only reads the manifest. Every file of
`static/css/` goes into the style sheet, every file of `static/js/<bundle>/` into that bundle, by name.

The icons are one SVG sprite with the Tabler icons in use: those that templates, Python and packs name, and
the palette of `static/icons.txt` that admins choose from.
"""

from __future__ import annotations

import gzip
import json
import re
import shutil
import sys
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree

import brotli
from flask import Flask, current_app, url_for
from markupsafe import Markup
from whitenoise import WhiteNoise

from builder.headers import STATIC_HEADERS
from builder.icons import icon_lines
from builder.resources import resource_folder

if TYPE_CHECKING:  # only building needs it, and it takes a quarter of a second to load
    from flask_assets import Bundle, Environment

_VENDOR: dict[str, tuple[str, ...]] = {
    "core": (
        "htmx.org/dist/htmx.min.js",
        "idiomorph/dist/idiomorph-ext.min.js",
        "@tabler/core/dist/js/tabler.min.js",
    ),
    "board": ("sortablejs/Sortable.min.js",),
    "theme": (),  # loaded before the first paint, so it is tiny and alone
    "charts": ("chart.js/dist/chart.umd.min.js", "chartjs-chart-funnel/build/index.umd.min.js"),
}
_STYLES: tuple[str, ...] = ("@tabler/core/dist/css/tabler.min.css",)
_SPRITE_SOURCE = "dist/.source/icons.svg"
_MANIFEST = "dist/manifest.json"
_HASHED = re.compile(r"/static/dist/.+\.[0-9a-f]{8}\.[a-z]+$")
_SVG_NAMESPACE = "http://www.w3.org/2000/svg"
_SOURCE_MAP = re.compile(r"^(//# sourceMappingURL=.*|/\*# sourceMappingURL=.*?\*/)$", re.MULTILINE)


class AssetsNotBuilt(RuntimeError):
    """The manifest is missing or lacks a bundle: `make build` makes them."""


def add_assets(app: Flask) -> None:
    """Serve /static/ through WhiteNoise and give templates `asset_url(bundle)` and `icon_markup(name)`."""
    static = resource_folder("static")
    app.wsgi_app = WhiteNoise(  # type: ignore[method-assign]
        app.wsgi_app,
        root=str(static),
        prefix="static/",
        allow_all_origins=False,
        immutable_file_test=lambda _path, url: bool(_HASHED.search(url)),
        add_headers_function=lambda headers, _path, _url: [
            headers.__setitem__(name, value) for name, value in STATIC_HEADERS.items()
        ],
    )
    app.extensions["funnelwright.asset_names"] = _built_names(static / _MANIFEST)
    app.extensions["funnelwright.icons"] = _drawn_icons(static, app.extensions["funnelwright.asset_names"])
    app.jinja_env.globals["asset_url"] = asset_url
    app.jinja_env.globals["icon_markup"] = lru_cache(maxsize=2048)(icon_markup)
    app.add_url_rule("/static/<path:filename>", "static", build_only=True)


def asset_url(bundle: str) -> str:
    """The address of a built bundle: css, icons, core, board or charts.

    Errors: AssetsNotBuilt when it was not made.
    """
    names: dict[str, str] = current_app.extensions["funnelwright.asset_names"]
    if bundle not in names:
        raise AssetsNotBuilt(f"the asset bundle {bundle!r} is not built; run `make build`")
    return url_for("static", filename=names[bundle])


def icon_url(name: str) -> str:
    """The address of one icon of the sprite. A name that it lacks shows nothing; in tests it is an error.

    Errors: AssetsNotBuilt.
    """
    drawn: frozenset[str] = current_app.extensions["funnelwright.icons"]
    if name not in drawn and current_app.testing:
        raise AssetsNotBuilt(
            f"the icon {name!r} is not in the sprite: name it where the build sees it (icon=, icon_name=, "
            "icon('…')) or in static/icons.txt, then run `python -m builder.assets`"
        )
    return f"{asset_url('icons')}#{name}"


def icon_markup(name: str, label: str = "", **attributes: str) -> Markup:
    """A Tabler icon from the sprite, with a ``class`` if given. Without a label it is decoration.

    Errors: AssetsNotBuilt.
    """
    role = Markup('role="img" aria-label="{}"').format(label) if label else Markup('aria-hidden="true"')
    return Markup('<svg class="icon {}" {} focusable="false"><use href="{}"></use></svg>').format(
        attributes.get("class", ""), role, icon_url(name)
    )


def _drawn_icons(static: Path, names: dict[str, str]) -> frozenset[str]:
    if "icons" not in names:
        return frozenset()
    return frozenset(re.findall(r'<symbol id="([^"]+)"', (static / names["icons"]).read_text("utf-8")))


def _built_names(manifest: Path) -> dict[str, str]:
    """Bundle name to file name under static/, from the manifest that flask-assets wrote; {} without one."""
    if not manifest.is_file():
        return {}
    versions: dict[str, str] = json.loads(manifest.read_text("utf-8"))
    return {
        Path(output).name.partition(".")[0]: output % {"version": version}
        for output, version in versions.items()
    }


def build_assets(root: Path) -> list[Path]:
    """Build everything from the checkout at `root`; return the files made, sorted.

    Errors: FileNotFoundError naming what is missing (a package: run `npm ci`; an icon: its name and where
    it is asked for).
    """
    static = root / "static"
    packages = root / "node_modules"
    shutil.rmtree(static / "dist", ignore_errors=True)
    sprite = static / _SPRITE_SOURCE
    sprite.parent.mkdir(parents=True)
    sprite.write_text(_sprite(packages / "@tabler/icons/icons", _icons_in_use(root)), "utf-8")
    app = Flask("funnelwright-assets", static_folder=str(static), static_url_path="/static")
    with app.app_context():
        environment = _environment(app, static, packages)
        for bundle in environment:
            bundle.build(force=True)
    shutil.rmtree(sprite.parent)
    files = [path for path in (static / "dist").iterdir() if path.suffix in (".css", ".js", ".svg")]
    for path in files:
        _compress(path)
    return sorted(files)


def _environment(app: Flask, static: Path, packages: Path) -> Environment:
    from flask_assets import Bundle, Environment

    environment = Environment(app)
    environment.auto_build = False
    environment.cache = False
    environment.url_expire = False
    environment.versions = "hash"
    environment.manifest = f"json:{static / _MANIFEST}"
    for name, scripts in _VENDOR.items():
        parts = [_vendor(packages, script) for script in scripts]
        own = sorted(str(path) for path in (static / "js" / name).glob("*.js"))
        if own:
            parts.append(Bundle(*own, filters="jsmin"))
        environment.register(name, Bundle(*parts, output=f"dist/{name}.%(version)s.js"))
    vendor = [_vendor(packages, style) for style in _STYLES]
    own = sorted(str(path) for path in (static / "css").glob("*.css"))
    environment.register("css", Bundle(*vendor, *own, filters="rcssmin", output="dist/css.%(version)s.css"))
    environment.register("icons", Bundle(str(static / _SPRITE_SOURCE), output="dist/icons.%(version)s.svg"))
    return environment


def _vendor(packages: Path, name: str) -> Bundle:
    from flask_assets import Bundle

    path = packages / name
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing; run `npm ci`")
    return Bundle(str(path), filters=(_without_source_map,))


def _without_source_map(source, out, **_facts):  # type: ignore[no-untyped-def]  # webassets' filter protocol
    """Drop the pointer to a map that we do not serve, and end scripts so that the next one starts afresh."""
    out.write(_SOURCE_MAP.sub("", source.read()).rstrip() + "\n")


def _compress(path: Path) -> None:
    content = path.read_bytes()
    path.with_name(path.name + ".gz").write_bytes(gzip.compress(content, 9, mtime=0))
    path.with_name(path.name + ".br").write_bytes(brotli.compress(content, quality=11))


_ICON_CALLS = re.compile(
    r"""(?:\b(?:icon|icon_button|empty_state)\(\s*|\bicon(?:_name)?(?:\s*=\s*|"\s*:\s*))["']([a-z][a-z0-9-]*)["']"""
)


def _icons_in_use(root: Path) -> dict[str, str]:
    """Icon name to the file that asks for it."""
    found: dict[str, str] = {}
    palette = root / "static" / "icons.txt"
    for _, name, _ in icon_lines(palette.read_text("utf-8")):
        found.setdefault(name, palette.name)
    for folder, pattern in (("templates", "*.html"), ("blueprints", "*.py"), ("schemas/packs", "*.json")):
        for path in sorted((root / folder).rglob(pattern)):
            for name in _ICON_CALLS.findall(path.read_text("utf-8")):
                found.setdefault(name, str(path.relative_to(root)))
    return found


_STROKE = 'fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round" stroke-linejoin="round"'


def _sprite(icons: Path, names: dict[str, str]) -> str:
    """One `<svg>` with a `<symbol id="NAME">` per icon, drawn in the colour of the text around it."""
    symbols = []
    for name in sorted(names):
        filled = name.endswith("-filled")
        path = icons / ("filled" if filled else "outline") / f"{name.removesuffix('-filled')}.svg"
        if not path.is_file():
            raise FileNotFoundError(f"{names[name]} asks for the icon {name!r}, which Tabler does not have")
        paint = 'fill="currentColor"' if filled else _STROKE
        symbols.append(f'<symbol id="{name}" viewBox="0 0 24 24" {paint}>{_shapes(path)}</symbol>')
    return f'<svg xmlns="http://www.w3.org/2000/svg">{"".join(symbols)}</svg>\n'


def _shapes(path: Path) -> str:
    """The drawing of one icon, without the invisible box that each has."""
    drawing = ElementTree.parse(path).getroot()  # noqa: S314 - a pinned package's own file
    shapes = [shape for shape in drawing if shape.attrib.get("d") != "M0 0h24v24H0z"]
    text = "".join(ElementTree.tostring(shape, "unicode").strip() for shape in shapes)
    return text.replace("ns0:", "").replace(f' xmlns:ns0="{_SVG_NAMESPACE}"', "")


def main() -> int:
    """Build, and print each file with its size on the wire."""
    try:
        files = build_assets(resource_folder("static").parent)
    except FileNotFoundError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 1
    for path in files:
        wire = path.with_name(path.name + ".br").stat().st_size
        print(f"{path.name:32} {path.stat().st_size / 1000:8.1f} kB, {wire / 1000:6.1f} kB on the wire")  # noqa: T201
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
