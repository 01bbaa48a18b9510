"""Where experiments and trials are kept: SQLite in a file, or PostgreSQL."""

from typing import TYPE_CHECKING

from arbo_bo._lazy import resolver

if TYPE_CHECKING:
    from arbo_bo.storage.protocol import TrialStore
    from arbo_bo.storage.store import SQLTrialStore

_HOMES = {
    "SQLTrialStore": "arbo_bo.storage.store",
    "TrialStore": "arbo_bo.storage.protocol",
}

__all__ = ["SQLTrialStore", "TrialStore"]

__getattr__ = resolver(__name__, _HOMES)
