"""How BoTorch, and Ax above it, make arbo's acquisition functions."""

import inspect
from typing import Any, TypeVar

from botorch.acquisition.input_constructors import acqf_input_constructor

from arbo_bo.acquisition.score import ScoreAcquisition

Kind = TypeVar("Kind", bound=type[ScoreAcquisition])


def registered(kind: Kind) -> Kind:
    """Registers an acquisition function for `get_acqf_input_constructor`, with its own arguments.

    ``objective`` is BoTorch's own there, hence ``score``.
    """
    own = inspect.signature(kind).parameters.values()
    renamed = [p.replace(name="score") if p.name == "objective" else p for p in own]
    signature = inspect.Signature(renamed)

    def inputs(*args: Any, **kwargs: Any) -> dict[str, Any]:
        given = signature.bind(*args, **kwargs).arguments
        return {"objective" if name == "score" else name: given[name] for name in given}

    # What BoTorch reads, and names where an argument is not known.
    inputs.__signature__ = signature  # type: ignore[attr-defined]
    inputs.__name__ = kind.__name__
    acqf_input_constructor(kind)(inputs)
    return kind
