"""Tables, engine, tenancy and migrations. Importing this package registers every table."""

from builder.db import definitions, exports, imports, ledger, people, records
from builder.db.base import Base

__all__ = ["Base", "definitions", "exports", "imports", "ledger", "people", "records"]
