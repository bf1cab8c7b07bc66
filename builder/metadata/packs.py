"""Packs (industry templates): read, check as a whole, and written so that an export equals its source.

On disk a pack is a folder: ``pack.json`` (the head) and one file per document in ``objects/``, ``feedback/``,
``pipelines/``, ``views/``, ``funnels/`` and ``roles/``, named after the document's key. In memory, and in one
file for download, it is a plain dict: the head with the documents in lists. Both are canonical: documents are
in the order of their keys, as ``documents.pretty`` writes them. All is checked before anything is installed.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from builder.errors import N_, FunnelwrightError, Invalid, NotFound
from builder.metadata import documents as texts
from builder.metadata.grammar import DefinitionProblem, Document
from builder.metadata.lint import Surroundings, lint
from builder.metadata.pack_texts import untranslated
from builder.metadata.upcasters import upcast
from builder.resources import resource_folder

SECTIONS: Mapping[str, str] = {
    "roles": "role",
    "objects": "object",
    "feedback": "feedback",
    "pipelines": "pipeline",
    "views": "view",
    "funnels": "funnel",
}
"""Sections by name with the kind of their documents, in the order in which they can be installed."""

# A plan for a demo company with this template; no part of the template itself.
DEMO_FILE = "demo.json"
HEAD_FILE = "pack.json"
SECTION_OF: Mapping[str, str] = {kind: section for section, kind in SECTIONS.items()}

NO_PACK = N_("There is no industry template at “%(path)s”.")
BROKEN = N_("The industry template cannot be used: %(count)s things are wrong.")
FILE_NAME = N_("The file must be named after its key: “%(expected)s”.")
STRANGE_FILE = N_("This file belongs to no part of an industry template. Remove it.")
TWICE = N_("Two documents of this kind have the key “%(key)s”.")


class BrokenPack(Invalid):
    """A pack with errors; ``problems`` are DefinitionProblems with file and pointer."""


def shipped() -> list[str]:
    """The keys of the packs that the product carries."""
    folder = resource_folder("schemas") / "packs"
    return sorted(path.parent.name for path in folder.glob(f"*/{HEAD_FILE}"))


def locate(name: str) -> Path:
    """The folder of a shipped pack by key, or the path itself. Errors: NotFound."""
    if name in shipped():
        return resource_folder("schemas") / "packs" / name
    path = Path(name)
    if not path.exists():
        raise NotFound(NO_PACK, path=name)
    return path


def load(path: str | Path) -> Document:
    """A pack from its folder, or from one combined JSON file, upcast and normalised but not yet checked.

    Errors: NotFound; BrokenPack when a file cannot be read at all, naming every such file.
    """
    path = Path(path)
    if path.is_file():
        return normalised(_read(path, "", texts.MAX_PACK_BYTES))
    if not (path / HEAD_FILE).is_file():
        raise NotFound(NO_PACK, path=str(path))
    problems: list[DefinitionProblem] = []
    pack = _tried(path, HEAD_FILE, problems) or {}
    for section in SECTIONS:
        names = sorted(found.name for found in (path / section).glob("*.json"))
        read = [(name, _tried(path, f"{section}/{name}", problems)) for name in names]
        pack[section] = [document for _, document in read if document is not None]
        problems.extend(_misnamed(section, read))
    problems.extend(
        DefinitionProblem(STRANGE_FILE, file=name)
        for name in _file_names(path)
        if name != HEAD_FILE and name.rpartition("/")[0] not in SECTIONS
    )
    if problems:
        raise BrokenPack(BROKEN, count=len(problems), problems=tuple(problems))
    return normalised(pack)


def _file_names(folder: Path) -> list[str]:
    names = (found.relative_to(folder).as_posix() for found in folder.rglob("*.json"))
    return sorted(name for name in names if name != DEMO_FILE)


def _misnamed(section: str, read: Iterable[tuple[str, Document | None]]) -> Iterator[DefinitionProblem]:
    for name, document in read:
        expected = f"{document.get('key')}.json" if document else name
        if name != expected:
            yield DefinitionProblem(FILE_NAME, "/key", {"expected": expected}, file=f"{section}/{name}")


def _tried(folder: Path, name: str, problems: list[DefinitionProblem]) -> Document | None:
    try:
        return _read(folder / name, name, texts.MAX_BYTES)
    except FunnelwrightError as error:
        problems.append(DefinitionProblem(error.message_key, values=error.values, file=name))
        return None


def _read(path: Path, name: str, limit: int) -> Document:
    with path.open("rb") as file:
        source = file.read(limit + 1)
    document = texts.read(source, limit=limit)
    broken = list(texts.unstorable(document))
    if broken:
        raise BrokenPack(
            BROKEN, count=len(broken), problems=tuple(replace(found, file=name) for found in broken)
        )
    return document


def normalised(pack: Document) -> Document:
    """The pack in canonical order: all sections present, documents sorted by key, texts in NFC."""
    pack = upcast(pack) if "grammar" in pack else pack
    result: Document = {name: value for name, value in pack.items() if name not in SECTIONS}
    for section in SECTIONS:
        found = pack.get(section, [])
        result[section] = sorted(found, key=_key) if isinstance(found, list) else found
    return dict(texts.normalised(result))


def _key(document: Any) -> str:
    return str(document.get("key", "")) if isinstance(document, dict) else ""


def check(pack: Document, installed: Iterable[Document] = ()) -> list[DefinitionProblem]:
    """Everything wrong with a pack, by meta-schema and lint, before anything is written (errors first).

    Each problem names the ``file`` (``objects/account.json``) and the pointer into it. ``installed`` are
    the live documents of the workspace that the pack goes into; the pack's own take their place.
    """
    shaped = list(_shape_problems(pack))
    if any(problem.is_error for problem in shaped):
        return shaped
    pack = normalised(pack)
    around = Surroundings.of([*installed, *documents(pack)])
    found = [*shaped, *_same_keys(pack)]
    for section, kind in SECTIONS.items():
        for document in pack[section]:
            name = file_name(document)
            found += [replace(problem, file=name) for problem in lint(kind, document, around)]
            found += [replace(problem, file=name) for problem in untranslated(document, pack["locales"])]
    found += [replace(problem, file=HEAD_FILE) for problem in untranslated(head(pack), pack["locales"])]
    order = {"error": 0, "warn": 1, "hint": 2}
    return sorted(found, key=lambda problem: (order[problem.severity], problem.file, problem.place))


def refuse_broken(pack: Document, installed: Iterable[Document] = ()) -> list[DefinitionProblem]:
    """``check``, for whoever is about to install. Returns warnings and hints. Errors: BrokenPack."""
    found = check(pack, installed)
    wrong = tuple(problem for problem in found if problem.is_error)
    if wrong:
        raise BrokenPack(BROKEN, count=len(wrong), problems=wrong)
    return found


def _shape_problems(pack: Document) -> Iterator[DefinitionProblem]:
    """The head and every document by their meta-schemas, each with the file that it belongs to."""
    if not isinstance(pack, dict):
        yield from texts.check("pack", pack)
        return
    own = {name: value for name, value in pack.items() if name not in SECTIONS}
    own |= {section: [] for section in SECTIONS if isinstance(pack.get(section, []), list)}
    own |= {section: pack[section] for section in SECTIONS if section in pack and section not in own}
    yield from (replace(problem, file=HEAD_FILE) for problem in texts.check("pack", own))
    for section, kind in SECTIONS.items():
        found = pack.get(section, [])
        for document in found if isinstance(found, list) else ():
            name = f"{section}/{_key(document)}.json"
            yield from (replace(problem, file=name) for problem in texts.check(kind, document))


def _same_keys(pack: Document) -> Iterator[DefinitionProblem]:
    for section in SECTIONS:
        keys = [document["key"] for document in pack[section]]
        for key in sorted({key for key in keys if keys.count(key) > 1}):
            yield DefinitionProblem(TWICE, "/key", {"key": key}, file=f"{section}/{key}.json")


def complete_locales(pack: Document, wanted: Iterable[str]) -> list[str]:
    """Those of the wanted languages in which every text of the pack is there: what it can promise."""
    texts_of = [head(pack), *documents(pack)]
    return [
        locale
        for locale in wanted
        if not any(
            problem.rule == "missing_translation"
            for document in texts_of
            for problem in untranslated(document, [locale])
        )
    ]


def documents(pack: Document) -> list[Document]:
    """All documents in the order in which they can be installed: what is referred to comes first.

    Objects follow the objects that they refer to, as far as they do not refer to each other in a circle.
    """
    return [
        document
        for section in SECTIONS
        for document in (_by_reference(pack[section]) if section == "objects" else pack.get(section, []))
    ]


def _by_reference(objects: list[Document]) -> list[Document]:
    by_key = {document["key"]: document for document in objects}
    done: dict[str, Document] = {}
    on_the_way: set[str] = set()

    def visit(key: str) -> None:
        if key in done or key in on_the_way or key not in by_key:
            return
        on_the_way.add(key)
        for target in sorted(_targets(by_key[key])):
            visit(target)
        done[key] = by_key[key]

    for key in sorted(by_key):
        visit(key)
    return list(done.values())


def _targets(document: Document) -> set[str]:
    fields = document["fields"]["properties"].values()
    return {field["x-target"] for field in fields if "x-target" in field}


def head(pack: Document) -> Document:
    """The pack without its documents: what ``pack.json`` holds."""
    return {name: value for name, value in pack.items() if name not in SECTIONS}


def assemble(head_document: Document, stored: Iterable[Document]) -> Document:
    """A pack from its head and stored documents: the inverse of installing."""
    pack: Document = {**head_document, **{section: [] for section in SECTIONS}}
    for document in stored:
        pack[SECTION_OF[document["kind"]]].append(document)
    return normalised(pack)


def file_name(document: Document) -> str:
    """Where a document stands in a pack's folder, e.g. ``objects/account.json``."""
    return f"{SECTION_OF[document['kind']]}/{document['key']}.json"


def files(pack: Document) -> dict[str, str]:
    """The files of the pack's folder: relative path to content, byte for byte the same for equal packs."""
    pack = normalised(pack)
    contents = {HEAD_FILE: texts.pretty(head(pack))}
    for section in SECTIONS:
        contents |= {file_name(document): texts.pretty(document) for document in pack[section]}
    return contents


def combined(pack: Document) -> str:
    """The pack as one JSON text, for download and upload."""
    return texts.pretty(normalised(pack))


def write(pack: Document, folder: Path) -> None:
    """Write the pack's files into ``folder``, which must not hold another pack.

    Errors: FileExistsError; BrokenPack when a key would lead out of the folder.
    """
    if (folder / HEAD_FILE).exists() and json.loads((folder / HEAD_FILE).read_text("utf-8")).get(
        "key"
    ) != pack["key"]:
        raise FileExistsError(folder / HEAD_FILE)
    for name, content in files(pack).items():
        path = folder / name
        if not path.resolve().is_relative_to(folder.resolve()):
            raise BrokenPack(BROKEN, count=1, problems=(DefinitionProblem(STRANGE_FILE, file=name),))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, "utf-8")
