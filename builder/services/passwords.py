"""Passwords: hashed with argon2id, in the form that sign-in reads."""

from __future__ import annotations

import secrets
import unicodedata
from functools import cache

from passlib.context import CryptContext

# RFC 9106's second choice: 64 MiB, three passes, four lanes.
COSTS = {"argon2__time_cost": 3, "argon2__memory_cost": 65536, "argon2__parallelism": 4}
SHORTEST = 8
LONGEST = 1024
# No 0/O, 1/l/I: a generated password is read aloud and typed by people.
_ALPHABET = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"


@cache
def _context() -> CryptContext:
    # Sign-in is set up with the same costs (builder.security); it would hash anew what has others.
    return CryptContext(schemes=["argon2"], deprecated="auto", **COSTS)


def hash_password(password: str) -> str:
    """The stored form. Compatibility forms of a character count as the same (NFKD), as at sign-in."""
    return str(_context().hash(unicodedata.normalize("NFKD", password)))


def generate_password() -> str:
    """16 characters in groups of four, about 93 bits."""
    groups = ("".join(secrets.choice(_ALPHABET) for _ in range(4)) for _ in range(4))
    return "-".join(groups)
