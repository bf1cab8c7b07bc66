"""Tables, engine, tenancy and migrations. Importing this package registers every table."""

from builder.db import batches, definitions, duplicates, exports, imports, ledger, notes, people, records
from builder.db.base import Base

__all__ = [
    "Base",
    "batches",
    "definitions",
    "duplicates",
    "exports",
    "imports",
    "ledger",
    "notes",
    "people",
    "records",
]
