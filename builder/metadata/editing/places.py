"""Where in the designer a problem of a document belongs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from builder.metadata.grammar import DefinitionProblem


@dataclass
class Sorted:
    """Problems by what they are about: fields and sections by key, rules by number, and the rest."""

    fields: dict[str, list[DefinitionProblem]] = field(default_factory=dict)
    sections: dict[str, list[DefinitionProblem]] = field(default_factory=dict)
    rules: dict[int, list[DefinitionProblem]] = field(default_factory=dict)
    rest: list[DefinitionProblem] = field(default_factory=list)


def sort_problems(form: Mapping[str, Any], problems: Iterable[DefinitionProblem]) -> Sorted:
    """Every problem at the field, section or rule of ``form`` (as it was checked) that its pointer names."""
    found = Sorted()
    sections, required = form.get("x-sections", ()), form.get("required", ())
    for problem in problems:
        head, *path = [_read(part) for part in problem.place.split("/")[1:]] or [""]
        if head != "fields" or len(path) < 2:
            found.rest.append(problem)
            continue
        part, name, *_more = path
        if part == "properties" and name in form.get("properties", {}):
            found.fields.setdefault(name, []).append(problem)
        elif part == "x-sections" and name.isdecimal() and int(name) < len(sections):
            found.sections.setdefault(sections[int(name)]["key"], []).append(problem)
        elif part == "x-rules" and name.isdecimal():
            found.rules.setdefault(int(name), []).append(problem)
        elif part == "required" and name.isdecimal() and required[int(name)] in form.get("properties", {}):
            found.fields.setdefault(required[int(name)], []).append(problem)
        else:
            found.rest.append(problem)
    return found


def _read(part: str) -> str:
    return part.replace("~1", "/").replace("~0", "~")
