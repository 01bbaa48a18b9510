"""`AmdahlGP` as the surrogate of Ax's modular generator."""

from typing import Any

import torch
from ax.adapter.registry import Generators
from ax.adapter.transforms.cast import Cast
from ax.adapter.transforms.fill_missing_parameters import FillMissingParameters
from ax.adapter.transforms.int_to_float import IntToFloat
from ax.adapter.transforms.remove_fixed import RemoveFixed
from ax.generation_strategy.generator_spec import GeneratorSpec
from ax.generators.torch.botorch_modular.surrogate import SurrogateSpec
from ax.generators.torch.botorch_modular.utils import ModelConfig
from botorch.acquisition.objective import PosteriorTransform
from botorch.posteriors import GPyTorchPosterior
from gpytorch.distributions import MultivariateNormal
from torch import Tensor

from arbo_bo.errors import InvalidValueError
from arbo_bo.models import AmdahlGP

TRANSFORMS = [FillMissingParameters, RemoveFixed, Cast, IntToFloat]
"""What an experiment goes through on its way to the model: the outcomes stay as they are, where
Ax's defaults would standardize them and hide the unit of time from the law."""


class AxAmdahlGP(AmdahlGP):
    """`AmdahlGP` on seconds in and seconds out.

    The process learns log T. The posterior is of T, so that Ax's predictions, constraints and plots
    are in seconds: a normal distribution with the lognormal's own moments, because Ax's acquisition
    functions scale and weigh posteriors, which is defined for normal ones alone.

        E[T_i] = m_i = exp(mu_i + S_ii / 2)
        Cov[T_i, T_j] = m_i m_j (exp(S_ij) - 1)

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
        # To first order Var(log T) = Var(T) / T^2.
        log_variance = None if train_Yvar is None else train_Yvar / train_Y.square()
        super().__init__(train_X, train_Y.to(torch.float64).log(), log_variance)

    def posterior(
        self,
        X: Tensor,
        output_indices: list[int] | None = None,
        observation_noise: bool | Tensor = False,
        posterior_transform: PosteriorTransform | None = None,
    ) -> GPyTorchPosterior:
        """The distribution of execution times [s].

        Args:
            X: ``batch_shape x q x 3``, as `train_X`.
            output_indices: As in BoTorch.
            observation_noise: Whether a run's own noise is included.
            posterior_transform: Of seconds.

        Returns:
            Mean and covariance in seconds and seconds squared, ``batch_shape x q x 1``.
        """
        log_time = super().posterior(X, output_indices, observation_noise).distribution
        covariance = log_time.covariance_matrix
        mean = (log_time.mean + covariance.diagonal(dim1=-2, dim2=-1) / 2).exp()
        outer = mean.unsqueeze(-1) * mean.unsqueeze(-2)
        posterior = GPyTorchPosterior(MultivariateNormal(mean, outer * covariance.expm1()))
        if posterior_transform is not None:
            return posterior_transform(posterior=posterior, X=X)
        return posterior


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
