"""Forms that were sent, so that one which is sent again does nothing twice."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger
from sqlalchemy.orm import Mapped, mapped_column

from builder.db.base import Base, key_string

LONGEST_KEY = 32


class Posting(Base):
    """One form of a member. ``key`` begins with the id that the form got when it was shown, so old ones are
    a range of the primary key. ``made_id``: what came of it. ``member_id`` 0: of the workspace, whoever asks.
    """

    __tablename__ = "posting"
    __table_args__ = ({"sqlite_with_rowid": False},)

    workspace_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    member_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    key: Mapped[str] = mapped_column(key_string(LONGEST_KEY), primary_key=True)
    made_id: Mapped[int | None]
    created_at: Mapped[datetime]
