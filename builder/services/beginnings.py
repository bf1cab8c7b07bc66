"""A process begins with a template and with the answers of whoever set it up (S23, S115)."""

from __future__ import annotations

from builder.errors import N_, Conflict
from builder.metadata.editing.background import SetBackground
from builder.metadata.grammar import Document
from builder.metadata.pack_plan import Decisions
from builder.metadata.proposals import entry_pipeline
from builder.queries.packs import live_by_name
from builder.services import packs
from builder.services.definitions import Occasion, publish
from builder.services.unit_of_work import UnitOfWork

NO_PROCESS = N_("This template has no process to begin with.")


def begin(uow: UnitOfWork, pack: Document, background: SetBackground) -> str:
    """Install the pack and keep the answers with its process, in one transaction; answers the process's key.

    What the workspace has of its own under the same key, its roles for example, stays as it is.

    Raises as ``services.packs.install``; Refused for answers that cannot be kept; Conflict when the pack has
    no process. The caller commits.
    """
    if not pack["pipelines"]:
        raise Conflict(NO_PROCESS)
    key = entry_pipeline(pack)
    background.apply({})
    packs.install(uow, pack, decisions=Decisions(otherwise="ours"))
    document = live_by_name(uow.session)[("pipeline", key)]
    answered = background.apply(document)
    if answered != document:
        publish(uow, [answered], Occasion("studio", note=f"{pack['key']} {pack['version']}"))
    return key
