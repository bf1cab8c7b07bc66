"""What the frame around every page shows: who is signed in, where, and where one can go.

An area gives a navigation source with `add_navigation`; sign-in gives the shell source with
`set_shell_source`. Templates see the result as `shell`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from flask import Flask, current_app, g, request
from werkzeug.local import LocalProxy

from blueprints.languages import LANGUAGE_COOKIE, LANGUAGES, language

THEMES = ("light", "dark", "auto")
THEME_COOKIE = "fw_theme"


@dataclass(frozen=True)
class NavItem:
    """One link of the sidebar. `icon` is a name of the sprite; `prefix` is the start of the paths that
    count as being here (default: the link's own path)."""

    label: str
    url: str
    icon: str
    prefix: str = ""

    @property
    def active(self) -> bool:
        prefix = (self.prefix or self.url).split("?")[0].rstrip("/")
        return request.path == prefix or request.path.startswith(prefix + "/")


@dataclass(frozen=True)
class NavSection:
    """A titled group of links; sections with the same title are joined, lower `order` stands first."""

    title: str
    links: tuple[NavItem, ...]
    order: int = 50


@dataclass(frozen=True)
class WorkspaceLink:
    """One workspace that the person belongs to."""

    name: str
    url: str
    current: bool = False


@dataclass(frozen=True)
class Person:
    """Who is signed in, as the frame shows them."""

    name: str
    detail: str = ""


@dataclass(frozen=True)
class Shell:
    """The frame of one page. Without `person` it is a page for strangers.

    `creatable`: forms of new records; `unread_notices`: how many notices the person has not read.
    """

    person: Person | None = None
    workspaces: tuple[WorkspaceLink, ...] = ()
    search_url: str = ""
    sign_out_url: str = ""
    profile_url: str = ""
    home_url: str = "/"
    notices_url: str = ""
    unread_notices: int = 0
    creatable: tuple[NavItem, ...] = ()
    sections: tuple[NavSection, ...] = field(default=())

    @property
    def workspace(self) -> WorkspaceLink | None:
        return next((link for link in self.workspaces if link.current), None)


ShellSource = Callable[[], Shell]
NavigationSource = Callable[[], Iterable[NavSection]]


def set_shell_source(app: Flask, source: ShellSource) -> None:
    """Say who is signed in and where; called once a request, only when a page is rendered."""
    app.extensions["funnelwright.shell"] = source


def add_navigation(app: Flask, source: NavigationSource) -> None:
    """Add links to the sidebar of signed-in people; the source decides by their rights."""
    app.extensions.setdefault("funnelwright.navigation", []).append(source)


def _sections() -> tuple[NavSection, ...]:
    joined: dict[str, NavSection] = {}
    for source in current_app.extensions.get("funnelwright.navigation", []):
        for section in source():
            before = joined.get(section.title)
            links = (before.links if before else ()) + section.links
            order = min(before.order, section.order) if before else section.order
            joined[section.title] = NavSection(section.title, links, order)
    return tuple(sorted(joined.values(), key=lambda section: section.order))


def _shell() -> Shell:
    source: ShellSource | None = current_app.extensions.get("funnelwright.shell")
    shell = source() if source else Shell()
    if shell.person is None or shell.sections:
        return shell
    return Shell(**{**shell.__dict__, "sections": _sections()})


def _shell_of_request() -> Shell:
    if "shell" not in g:
        g.shell = _shell()
    shell: Shell = g.shell
    return shell


def chosen_theme() -> str:
    theme = request.cookies.get(THEME_COOKIE, "")
    return theme if theme in THEMES else "auto"


def page_context() -> dict[str, object]:
    """What every template may use besides Flask's own names."""
    spoken = language()
    return {
        # made when a template first asks, so that fragments and error pages do not pay for it
        "shell": LocalProxy(_shell_of_request),
        "theme": chosen_theme(),
        "themes": THEMES,
        "language": spoken,
        "languages": LANGUAGES,
        "html_lang": spoken.replace("_", "-"),
        "here": request.full_path.rstrip("?"),
    }


__all__ = [
    "LANGUAGE_COOKIE",
    "NavItem",
    "NavSection",
    "Person",
    "Shell",
    "WorkspaceLink",
    "add_navigation",
    "page_context",
    "set_shell_source",
]
