"""A demo plan where a pack says little or nothing: people, stock and flows taken from its own documents.

The chance to go on from a stage follows the probabilities of the stages, the time in it the average cycle; so
a sample of any template behaves as the template says, and no template is known here.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any
from zlib import crc32

from builder.metadata import packs
from builder.metadata.grammar import Document
from builder.resources import resource_folder

OPEN_AT_ONCE = 22
"""So many records a process has under way at the end: enough for a board to be read, quick to make."""
MOST_RECORDS = 48
STOCK = 14
USUAL_CYCLE = 45


@cache
def _common() -> Document:
    text = (resource_folder("schemas") / "demo" / "common.json").read_text("utf-8")
    document: Document = json.loads(text)
    return document


def completed(own: Mapping[str, Any], pack: Document) -> Document:
    """The plan document ``own`` with all that it leaves out. A pack's pools come before common ones."""
    common = _common()
    flows = {flow["pipeline"]: flow for flow in own.get("flows", ())}
    derived = [
        {**flow, **flows.get(flow["pipeline"], {})} for flow in _flows(pack, own.get("months", _months(pack)))
    ]
    is_whole = "people" in own
    return {
        "seed": own.get("seed", crc32(pack["key"].encode())),
        "months": own.get("months", _months(pack)),
        "workspace": own.get("workspace") or _workspace(pack),
        "departments": own.get("departments", common["departments"]),
        "people": own["people"] if is_whole else list(_people(pack)),
        "stock": own.get("stock", list(_stock(pack, own.get("counts", {})))),
        "flows": own["flows"] if is_whole else derived,
        "pools": own.get("pools", {}) if is_whole else {**common["pools"], **own.get("pools", {})},
        "later": own.get("later", ()) if is_whole else [*common["later"], *own.get("later", ())],
    }


def _workspace(pack: Document) -> Document:
    key = f"demo-{pack['key'].replace('_', '-')}"
    name = " ".join(dict.fromkeys(_texts(pack["label"])))
    return {"key": key, "name": name, "time_zone": "Asia/Shanghai", "currency": "CNY", "locale": "zh_Hans"}


def _texts(label: Any) -> list[str]:
    return [label] if isinstance(label, str) else [str(text) for text in label.values()]


def _cycle(pipeline: Document) -> int:
    return int(pipeline.get("average_cycle_days", USUAL_CYCLE))


def _months(pack: Document) -> int:
    """Twice the shortest cycle, so that the main process has won and lost something."""
    cycles = [_cycle(pipeline) for pipeline in pack["pipelines"]] or [USUAL_CYCLE]
    return max(2, min(6, round(min(cycles) * 2.5 / 30)))


def _people(pack: Document) -> Iterator[Document]:
    """The common people, each with a role of the pack by what the role may do."""
    roles = {role["key"]: frozenset(role.get("rights", ())) for role in pack["roles"]}
    small = {role["key"] for role in pack["roles"] if role.get("visibility") == "own"}
    movers = [key for key, rights in roles.items() if {"move", "record.create"} <= rights]
    sells = next((key for key in movers if key in small), next(iter(movers), next(iter(roles), "")))
    plain = [key for key in movers if "definitions.edit" not in roles[key]]
    leads = next((key for key in plain if "move.override" in roles[key]), sells)
    configures = next((key for key, rights in roles.items() if "members.edit" in rights), leads)
    chosen = {"leads": leads, "sells": sells, "configures": configures}
    common = _common()
    domain = pack["key"].replace("_", "-")
    for person in (common["chief"], *common["people"], *_needed(pack, roles, set(chosen.values()))):
        facts = {name: value for name, value in person.items() if name != "does"}
        role = chosen.get(person.get("does", ""), person.get("role", ""))
        yield {**facts, "role": role, "email": f"{person['key']}@{domain}.example"}


def _needed(pack: Document, roles: Mapping[str, Any], known: set[str]) -> Iterator[Document]:
    """Somebody for each role without whom a gate could not be passed; they begin nothing themselves."""
    gates = [stage.get("gate", {}).get("leave", {}) for p in pack["pipelines"] for stage in p["stages"]]
    for asked in (gate["roles"] for gate in gates if gate.get("roles")):
        own = next((key for key in asked if key in roles and "record.create" not in roles[key]), None)
        if own is not None and own not in known:
            known.add(own)
            yield {"key": own, "name": "He Jing 何静", "role": own, "weight": 0.001, "skill": 1.0}


def _stock(pack: Document, counts: Mapping[str, int]) -> Iterator[Document]:
    """Records of the objects that no process moves, those referred to first; what happened comes last."""
    moved = {pipeline["object"] for pipeline in pack["pipelines"]}
    conversions = [each["conversion"] for each in pack["objects"] if "conversion" in each]
    made = {target["object"] for conversion in conversions for target in conversion["targets"]}
    for document in packs.documents(pack):
        if document["kind"] != "object" or document["key"] in moved | made:
            continue
        fields = document["fields"]["properties"].values()
        is_late = any(field.get("x-role") == "happened_at" for field in fields)
        count = counts.get(document["key"], STOCK * 2 if is_late else STOCK)
        yield {"object": document["key"], "count": count, "is_late": is_late}


def _flows(pack: Document, months: int) -> Iterator[Document]:
    """A flow for each process; those that begin by a conversion get no records of their own."""
    conversions = {each["key"]: each["conversion"] for each in pack["objects"] if "conversion" in each}
    begun = {conversion["pipeline"] for conversion in conversions.values()}
    converts = {key for key in conversions if any(p["object"] == key for p in pack["pipelines"])}
    for pipeline in pack["pipelines"]:
        stages = [stage for stage in pipeline["stages"] if stage["kind"] == "open"]
        cycle = _cycle(pipeline)
        rate = min(MOST_RECORDS / months, OPEN_AT_ONCE * 30 / (0.55 * cycle))
        days = cycle / max(1, len(stages))
        yield {
            "object": pipeline["object"],
            "pipeline": pipeline["key"],
            "per_month": [0, 0] if pipeline["key"] in begun else [rate * 0.8, rate * 1.2],
            "converts": pipeline["object"] in converts and pipeline["key"] not in begun,
            "invalid": 0.25,
            "back": 0.03,
            "dwell_days": {stage["key"]: [days * 0.3, days * 2] for stage in stages},
            "advance": _chances(stages),
        }


def _chances(stages: list[Document]) -> dict[str, float]:
    """The chance to go on from each stage: how its probability compares with that of the next, in the middle
    between that and certainty, for a sample in which hardly anything is won shows little.
    """
    shares = [max(1, stage.get("probability", 50)) / 100 for stage in stages] + [1.0]
    return {
        stage["key"]: min(0.95, (1 + shares[place] / shares[place + 1]) / 2)
        for place, stage in enumerate(stages)
    }
