"""`AmdahlGP` as the surrogate of Ax's modular generator."""

from typing import Any

from ax.adapter.registry import Generators
from ax.adapter.transforms.cast import Cast
from ax.adapter.transforms.fill_missing_parameters import FillMissingParameters
from ax.adapter.transforms.int_to_float import IntToFloat
from ax.adapter.transforms.remove_fixed import RemoveFixed
from ax.generation_strategy.generator_spec import GeneratorSpec
from ax.generators.torch.botorch_modular.surrogate import SurrogateSpec
from ax.generators.torch.botorch_modular.utils import ModelConfig
from torch import Tensor

from arbo_bo.errors import InvalidValueError
from arbo_bo.models import AmdahlGP, LogTime

TRANSFORMS = [FillMissingParameters, RemoveFixed, Cast, IntToFloat]
"""What an experiment goes through on its way to the model: the outcomes stay as they are, where
Ax's defaults would standardize them and hide the unit of time from the law."""


class AxAmdahlGP(AmdahlGP):
    """`AmdahlGP` on seconds in and seconds out.

    The process learns log T, by the outcome transform `LogTime`. So all that BoTorch does with a
    model is in seconds: posteriors, whose distribution is normal with the lognormal's moments, as
    Ax scales and weighs them; observations that it is conditioned on; fantasies; and leave-one-out
    cross-validation, which Ax shows.

    Args:
        train_X: ``n x 3``: s, gamma (or the input size), L in physical units, in the order of the
            search space's parameters.
        train_Y: ``n x 1``: execution times [s], above 0.
        train_Yvar: ``n x 1``: variance of the observed times [s squared]; None: inferred.

    Raises:
        ShapeError: train_X has not three columns.
        InvalidValueError: A time is not above 0, or an input is outside its domain.
    """

    def __init__(self, train_X: Tensor, train_Y: Tensor, train_Yvar: Tensor | None = None) -> None:
        if not bool((train_Y > 0).all()):
            raise InvalidValueError(
                f"execution times must be above 0 s, got {train_Y.min().item():g}; Ax must not "
                "standardize them: use amdahl_generator_spec, or its TRANSFORMS"
            )
        super().__init__(train_X, train_Y, train_Yvar, outcome_transform=LogTime())


def amdahl_generator_spec(**generator_kwargs: Any) -> GeneratorSpec:
    """Ax's modular generator with `AxAmdahlGP` on raw outcomes, for a `GenerationNode`.

    The search space holds the parallelism, the input size (or gamma) and the cluster load, in this
    order, and the metric is a wall time [s].

    Args:
        generator_kwargs: Further ones of the generator, such as ``botorch_acqf_class``.
    """
    config = ModelConfig(botorch_model_class=AxAmdahlGP, input_transform_classes=None)
    return GeneratorSpec(
        generator_enum=Generators.BOTORCH_MODULAR,
        generator_kwargs={
            "surrogate_spec": SurrogateSpec(model_configs=[config]),
            "transforms": TRANSFORMS,
            **generator_kwargs,
        },
    )
