"""How BoTorch, and Ax above it, make arbo's acquisition functions."""

import inspect
from collections.abc import Callable
from typing import Any, TypeVar

from botorch.acquisition.input_constructors import acqf_input_constructor
from torch import Tensor

from arbo_bo.acquisition.score import ScoreAcquisition
from arbo_bo.errors import ShapeError

Kind = TypeVar("Kind", bound=type[ScoreAcquisition])


def registered(kind: Kind) -> Kind:
    """Registers an acquisition function for `get_acqf_input_constructor`, with its own arguments.

    ``objective`` is BoTorch's own there, hence ``score``.
    """
    register(kind)
    return kind


def register(kind: type[ScoreAcquisition], incumbent: Callable[..., Tensor] | None = None) -> None:
    """As `registered`; without ``best_f`` it is the `incumbent` of ``choices``, where one is given.

    Args:
        kind: The acquisition function.
        incumbent: What finds ``best_f``, by the names of the arguments that it shares with `kind`.
    """
    own = list(inspect.signature(kind).parameters.values())
    if incumbent is not None:
        own = [p.replace(default=None) if p.name == "best_f" else p for p in own]
        own.append(inspect.Parameter("choices", inspect.Parameter.KEYWORD_ONLY, default=None))
    renamed = [p.replace(name="score") if p.name == "objective" else p for p in own]
    signature = inspect.Signature([p.replace(kind=p.KEYWORD_ONLY) for p in renamed])

    def inputs(**kwargs: Any) -> dict[str, Any]:
        given = signature.bind(**kwargs).arguments
        given = {"objective" if name == "score" else name: given[name] for name in given}
        if incumbent is not None:
            choices, best_f = given.pop("choices", None), given.pop("best_f", None)
            given["best_f"] = _best(incumbent, given, choices) if best_f is None else best_f
        return given

    # What BoTorch reads, and names where an argument is not known.
    inputs.__signature__ = signature  # type: ignore[attr-defined]
    inputs.__name__ = kind.__name__
    acqf_input_constructor(kind)(inputs)


def _best(incumbent: Callable[..., Tensor], given: dict[str, Any], choices: Any) -> Tensor:
    if choices is None:
        raise ShapeError(
            "the incumbent is per context: give best_f, or choices, the allowed degrees at this "
            "context, of shape (n, d)"
        )
    shared = inspect.signature(incumbent).parameters.keys() & given.keys()
    return incumbent(choices=choices, **{name: given[name] for name in shared})
