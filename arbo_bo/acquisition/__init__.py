"""Acquisition functions of BoTorch's own kind, and the exact search over the allowed degrees."""

from typing import TYPE_CHECKING

from arbo_bo.lazy import resolver

if TYPE_CHECKING:
    from arbo_bo.acquisition.expected_cost import ExpectedCost
    from arbo_bo.acquisition.search import evaluate_degrees

_HOMES = {
    "ExpectedCost": "arbo_bo.acquisition.expected_cost",
    "evaluate_degrees": "arbo_bo.acquisition.search",
}

__all__ = ["ExpectedCost", "evaluate_degrees"]

__getattr__ = resolver(__name__, _HOMES)
