"""Forms that came from elsewhere and are published as ones of ours."""

from __future__ import annotations

from builder.errors import N_, Invalid, Problem
from builder.metadata.grammar import Document
from builder.services import definitions
from builder.services.definitions import EDIT, Published
from builder.services.unit_of_work import UnitOfWork

TAKEN = N_("There is a feedback form with the key “%(key)s” already. Choose another key.")
NO_FIELDS = N_("None of its fields can become a field of ours.")
NOT_PUBLISHED = N_("The form was not published.")


def publish_new(uow: UnitOfWork, document: Document) -> Published:
    """Publish a feedback form under a key that none has yet.

    Errors: Forbidden; Invalid for a key that is taken (never overwritten), no field at all, an object that
    does not exist, and whatever else the grammar refuses. The caller commits.
    """
    uow.require(EDIT)
    uow.begin(alone=True)
    if document["key"] in uow.catalog.feedback:
        problem = Problem(TAKEN, "/key", {"key": document["key"]})
        raise Invalid(NOT_PUBLISHED, problems=(problem,))
    if not document["fields"]["properties"]:
        raise Invalid(NOT_PUBLISHED, problems=(Problem(NO_FIELDS),))
    return definitions.publish(uow, [document])
