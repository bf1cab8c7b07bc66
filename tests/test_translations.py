"""Every text that people see is in the catalogue of every language, and nothing else is.

What is extracted is what `make messages` extracts: the test runs the command that stands in the Makefile.
"""

from __future__ import annotations

import ast
import gettext
import io
import re
import shlex
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import jinja2
import jinja2.nodes
import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.frontend import CommandLineInterface
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

import builder.errors

ROOT = Path(__file__).parent.parent
CATALOGUES = sorted(ROOT.glob("translations/*/LC_MESSAGES/messages.po"))
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
PLACEHOLDER = re.compile(r"%%|%\((?P<name>\w+)\)(?P<kind>[sdf])")
HAN = re.compile(r"[\u4e00-\u9fff]")
_WORD = re.compile(r"[A-Za-z]{2,}")

# Names of products; they are the same in every language.
SAME_IN_CHINESE = {"Funnelwright"}

# What may stand in a template outside gettext: names, what is the same everywhere, and what a macro writes
# into an attribute (its class; whole attributes are known by their `="`).
RAW_TEXT = {"Funnelwright", "EN", "UTC", "btn", "btn-sm"}
# Constants of templates that look like a sentence and are none.
RAW_CONSTANTS: set[str] = set()

Key = tuple[str, str | tuple[str, ...]]


def key_of(message: Message) -> Key:
    text = message.id
    return message.context or "", tuple(text) if isinstance(text, list | tuple) else text


def texts_of(message: Message) -> list[tuple[str, str]]:
    """Pairs of an English text and its translation; a plural is compared with each form of the language."""
    if not message.pluralizable:
        return [(str(message.id), str(message.string))]
    forms = message.string if isinstance(message.string, list | tuple) else (message.string,)
    return [(message.id[1], form) for form in forms]


def messages(catalogue: Catalog) -> list[Message]:
    return [message for message in catalogue if message.id]


def extract_command() -> list[str]:
    """The arguments of the extraction in the Makefile, from `extract` on."""
    rule = re.search(r"^messages:.*\n((?:\t.*\n)+)", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert rule is not None
    for command in rule[1].replace("\\\n", " ").splitlines():
        words = shlex.split(command)
        if "extract" in words:
            return words[words.index("extract") :]
    raise AssertionError("make messages extracts nothing")


@pytest.fixture(scope="module")
def extracted(tmp_path_factory: pytest.TempPathFactory) -> dict[Key, Message]:
    """All messages of the source as it is now."""
    target = tmp_path_factory.mktemp("messages") / "messages.pot"
    words = extract_command()
    words[words.index("--output-file") + 1] = str(target)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        CommandLineInterface().run(["pybabel", "--quiet", *words])
    with target.open("rb") as file:
        return {key_of(message): message for message in messages(read_po(file))}


@pytest.fixture(params=CATALOGUES, ids=lambda path: path.parent.parent.name)
def catalogue(request: pytest.FixtureRequest) -> Catalog:
    with request.param.open("rb") as file:
        return read_po(file, locale=request.param.parent.parent.name)


def test_the_two_languages_of_the_product_are_there() -> None:
    assert [path.parent.parent.name for path in CATALOGUES] == ["zh_Hans"]


def test_the_extraction_finds_templates_python_and_marked_message_keys(extracted: dict[Key, Message]) -> None:
    assert ("", "Sign in") in extracted  # a template
    assert ("", "Win rate") in extracted  # gettext in a blueprint
    assert ("", "This does not exist, or you may not see it.") in extracted  # N_ in a lower layer
    assert ("", ("%(num)d day", "%(num)d days")) in extracted


def test_every_text_of_the_source_is_in_the_catalogue(
    extracted: dict[Key, Message], catalogue: Catalog
) -> None:
    missing = extracted.keys() - {key_of(message) for message in messages(catalogue)}
    assert not missing, f"untranslated; run make messages and translate: {sorted(map(str, missing))}"


def test_the_catalogue_holds_nothing_that_the_source_does_not_say(
    extracted: dict[Key, Message], catalogue: Catalog
) -> None:
    left_over = {key_of(message) for message in messages(catalogue)} - extracted.keys()
    assert not left_over, f"no longer used; run make messages: {sorted(map(str, left_over))}"
    assert not catalogue.obsolete


def test_nothing_is_empty_or_fuzzy(catalogue: Catalog) -> None:
    assert not catalogue.fuzzy
    assert [m.id for m in messages(catalogue) if m.fuzzy] == []
    assert [m.id for m in messages(catalogue) if not all(text.strip() for _, text in texts_of(m))] == []


def test_translations_have_the_placeholders_of_their_texts(catalogue: Catalog) -> None:
    for message in messages(catalogue):
        for english, text in texts_of(message):
            found, wanted = (
                sorted(match.group() for match in PLACEHOLDER.finditer(said)) for said in (text, english)
            )
            assert found == wanted, f"{english!r} is translated as {text!r}"


def test_translations_can_be_filled_in(catalogue: Catalog) -> None:
    """Templates format every text, also those without placeholders: a lone percent sign would be an error."""
    for message in messages(catalogue):
        for english, text in texts_of(message):
            values = {match["name"]: 1 for match in PLACEHOLDER.finditer(english) if match["name"]}
            assert "%(" not in text % values


def test_translations_keep_the_spaces_at_their_ends(catalogue: Catalog) -> None:
    for message in messages(catalogue):
        for english, text in texts_of(message):
            if not _WORD.search(english):
                continue  # punctuation: the full-width one brings its own space
            if english != english.strip():  # a joining word
                assert text != text.strip(), f"{english!r} is translated as {text!r}"
            else:
                assert text == text.strip()


def test_chinese_texts_are_chinese(catalogue: Catalog) -> None:
    untranslated = [
        english
        for message in messages(catalogue)
        for english, text in texts_of(message)
        if english not in SAME_IN_CHINESE
        and (text == english or (_WORD.search(english) and not HAN.search(text)))
    ]
    assert untranslated == []


def test_chinese_texts_use_chinese_punctuation(catalogue: Catalog) -> None:
    """A comma, colon, question mark or bracket beside a Chinese character is a full-width one."""
    beside = re.compile(r"[\u4e00-\u9fff][,;:?!()]|[,;?!(][\u4e00-\u9fff]")
    assert [text for m in messages(catalogue) for _, text in texts_of(m) if beside.search(text)] == []


def test_plurals_answer_from_the_compiled_catalogue(catalogue: Catalog) -> None:
    """What the build compiles needs the header: without its plural rule five days would be English."""
    compiled = io.BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    translations = gettext.GNUTranslations(compiled)
    for number in (1, 5):
        assert translations.ngettext("%(num)d day", "%(num)d days", number) == "%(num)d 天"


# --- texts that are not in gettext ----------------------------------------------------------------------

_SENTENCE = re.compile(r"^[A-Z][a-z]*(?: [A-Za-z]+)+[.?!]?$")
_SPOKEN_ATTRIBUTES = ("aria-label", "title", "placeholder", "alt", "aria-description", "data-label")
_TRANSLATES = {"_", "gettext", "ngettext", "pgettext", "npgettext", "lazy_gettext", "N_"}


class _RawText(HTMLParser):
    """Collects text nodes and spoken attributes that hold words."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._silent += tag in ("style", "script")
        for name, value in attrs:
            if name in _SPOKEN_ATTRIBUTES:
                self._note(value or "")

    def handle_endtag(self, tag: str) -> None:
        self._silent -= tag in ("style", "script")

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self._note(data)

    def _note(self, text: str) -> None:
        for piece in text.split("\0"):
            said = piece.strip(" \n·:")  # what joins names
            if _WORD.search(said) and said not in RAW_TEXT and '="' not in said:
                self.found.append(said)


def raw_texts(source: str) -> list[str]:
    """Words of a template that stand outside expressions: what would be English in every language."""
    tokens = jinja2.Environment().lex(source)
    bare = "".join(
        text if kind == "data" else "\0" if kind == "variable_begin" else "" for _, kind, text in tokens
    )
    parser = _RawText()
    parser.feed(bare)
    parser.close()
    return parser.found


def spoken_constants(node: jinja2.nodes.Node) -> Iterator[str]:
    """Strings within expressions that read like a sentence and are not handed to gettext."""
    if isinstance(node, jinja2.nodes.Call):
        called = node.node
        if isinstance(called, jinja2.nodes.Name) and called.name in _TRANSLATES:
            return
    if (
        isinstance(node, jinja2.nodes.Const)
        and isinstance(node.value, str)
        and _SENTENCE.match(node.value)
        and node.value not in RAW_CONSTANTS
    ):
        yield node.value
    for child in node.iter_child_nodes():
        yield from spoken_constants(child)


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("<p>Save the changes</p>", ["Save the changes"]),
        ("<p>{{ _('Save') }}</p>", []),
        ("<a title='Delete {{ name }}' href='/x'>{{ name }}</a>", ["Delete"]),
        ("{# a note #}<p {% if a > b %}class='big'{% endif %}>Funnelwright</p>", []),
    ],
)
def test_raw_texts_of_a_template_are_found(source: str, found: list[str]) -> None:
    assert raw_texts(source) == found


def test_templates_say_nothing_outside_gettext() -> None:
    environment = jinja2.Environment()
    spoken = [
        f"{path.relative_to(ROOT)}: {text}"
        for path in TEMPLATES
        for source in (path.read_text(),)
        for text in (*raw_texts(source), *spoken_constants(environment.parse(source)))
    ]
    assert spoken == []


def _errors() -> set[str]:
    """Names of the classes whose first argument is a message key."""
    keyed = (builder.errors.FunnelwrightError, builder.errors.Problem)
    return {
        name
        for name, thing in vars(builder.errors).items()
        if isinstance(thing, type) and issubclass(thing, keyed)
    } | {"DefinitionProblem", "FieldViolation", "InvalidValue", "flash"}


def unmarked_keys(tree: ast.AST, callables: set[str]) -> Iterator[str]:
    """First arguments of errors and flashes that are plain strings, so no catalogue ever sees them."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not node.args:
            continue
        name = getattr(node.func, "id", getattr(node.func, "attr", ""))
        first = node.args[0]
        if name in callables and isinstance(first, ast.Constant) and " " in str(first.value):
            yield f"line {node.lineno}: {first.value}"


def test_message_keys_of_errors_are_marked_for_the_catalogue() -> None:
    callables = _errors()
    unmarked = [
        f"{path.relative_to(ROOT)} {place}"
        for area in ("builder", "blueprints")
        for path in sorted((ROOT / area).rglob("*.py"))
        for place in unmarked_keys(ast.parse(path.read_text()), callables)
    ]
    assert unmarked == []


def test_scripts_say_nothing_of_their_own() -> None:
    """Texts of scripts come from the page (attributes, templates), where gettext has translated them."""
    prose = re.compile(r"""(["'`])([A-Z][a-z]+(?: [a-z]+)+[.?!]?)\1""")
    spoken = [
        f"{path.name}: {match[2]}"
        for path in sorted((ROOT / "static" / "js").rglob("*.js"))
        for match in prose.finditer(path.read_text())
        if not match[2].startswith("Content")
    ]
    assert spoken == []
