"""Lint: does a document make sense, beyond having the right shape? One function per rule.

``lint(kind, document, surroundings)`` runs every rule of the kind. The document must have passed
``documents.check``. Errors refuse publishing; warnings and hints are shown (S15 is a hint, S113 a warning).
"""

from builder.metadata.lint import (
    assignments,
    changes,
    definitions,
    forms,
    formulas,
    funnels,
    gates,
    layouts,
    objects,
    pipelines,
    totals,
)
from builder.metadata.lint.registry import RULES, Rule, Surroundings, lint

__all__ = [
    "RULES",
    "Rule",
    "Surroundings",
    "assignments",
    "changes",
    "definitions",
    "forms",
    "formulas",
    "funnels",
    "gates",
    "layouts",
    "lint",
    "objects",
    "pipelines",
    "totals",
]
