"""Draws of whole functions from an `AmdahlGP`, by BoTorch's pathwise sampling.

BoTorch draws a path from the mean and the covariance module of a model, by random Fourier features
of kernels that it knows. An `AmdahlGP` in evaluation has more than its modules say: the law's
parameters are integrated out. Its law has finitely many features, which are exact; its fine
structure and its smooth residual are Matern kernels of the inputs' features.

Source: J. Wilson et al., Efficiently sampling functions from Gaussian process posteriors, 2020.
"""

from copy import deepcopy
from typing import Any

import torch
from botorch.models import SingleTaskGP
from botorch.sampling.pathwise import draw_kernel_feature_paths, gaussian_update
from botorch.sampling.pathwise.features import gen_kernel_features
from botorch.sampling.pathwise.features.generators import GenKernelFeatures
from botorch.sampling.pathwise.features.maps import FeatureMap
from botorch.sampling.pathwise.paths import SamplePath
from botorch.sampling.pathwise.prior_samplers import DrawKernelFeaturePaths
from botorch.sampling.pathwise.update_strategies import GaussianUpdate
from gpytorch.kernels import AdditiveKernel, Kernel, MaternKernel
from gpytorch.likelihoods import FixedNoiseGaussianLikelihood, GaussianLikelihood, Likelihood
from gpytorch.means import Mean
from torch import Tensor

from arbo_bo.models.kernel import ResidualCorrelation
from arbo_bo.models.scalability import ScalabilityMean
from arbo_bo.numerics.inputs import S, features
from arbo_bo.numerics.kernel import FINE_LENGTHSCALES
from arbo_bo.numerics.priors import DEFAULT_PRIORS


class IntegratedLaw(Mean):
    """The mean of a law whose parameters are integrated out."""

    def __init__(self, law: ScalabilityMean) -> None:
        super().__init__()
        self.law = law

    def forward(self, x: Tensor) -> Tensor:
        """The mean at ``batch_shape x n x 3``, ``batch_shape x n``."""
        return self.law.integrated(x)[0]


class LawCovariance(Kernel):
    """The covariance of a law whose parameters are integrated out."""

    def __init__(self, law: ScalabilityMean) -> None:
        super().__init__(batch_shape=law.time_scale.shape[:-1])
        self.law = law

    def forward(self, x1: Tensor, x2: Tensor, diag: bool = False, **params: object) -> Tensor:
        """The covariance of two sets of inputs, ``... x n x 3`` and ``... x m x 3``."""
        first, second = self.law.integrated(x1)[1], self.law.integrated(x2)[1]
        return (first * second).sum(-1) if diag else first @ second.mT


class EvaluationKernel(AdditiveKernel):
    """The prior covariance of an `AmdahlGP` in evaluation: the residual's, and the law's."""


class LawFeatures(FeatureMap):
    """The features of `LawCovariance`, which are exact."""

    def __init__(self, law: ScalabilityMean) -> None:
        super().__init__()
        self.law, self.input_transform, self.output_transform = law, None, torch.nn.Identity()
        self.num_outputs = len(law.PARAMETERS)
        self.batch_shape = law.time_scale.shape[:-1]

    def forward(self, x: Tensor) -> Tensor:
        """``batch_shape x n x num_outputs``."""
        return self.law.integrated(x)[1]


class ResidualFeatures(FeatureMap):
    """Features of `ResidualCorrelation`: random ones of its Matern parts, and log s."""

    def __init__(self, kernel: ResidualCorrelation, num_outputs: int) -> None:
        super().__init__()
        lengthscale = kernel.smooth.lengthscale
        fine = MaternKernel(nu=2.5, ard_num_dims=lengthscale.shape[-1]).to(lengthscale)
        fine.lengthscale = lengthscale.new_tensor(FINE_LENGTHSCALES)
        self.smooth, self.fine = (
            gen_kernel_features(part, lengthscale.shape[-1], num_outputs // 4 * 2)
            for part in (kernel.smooth, fine)
        )
        self.input_transform, self.output_transform = None, torch.nn.Identity()
        self.num_outputs = self.smooth.num_outputs + self.fine.num_outputs + 1
        self.batch_shape = kernel.batch_shape

    def forward(self, x: Tensor) -> Tensor:
        """``batch_shape x n x num_outputs``."""
        x = features(x)
        smooth = self.smooth(x)
        shares = DEFAULT_PRIORS.structure
        trend = shares.trend_share**0.5 * x[..., S : S + 1]
        others = torch.cat([shares.fine_share**0.5 * self.fine(x), trend], -1)
        return torch.cat([smooth, others.expand(*smooth.shape[:-1], -1)], -1)


class JointFeatures(FeatureMap):
    """The features of several kernels, for their sum."""

    def __init__(self, *maps: FeatureMap) -> None:
        super().__init__()
        self.maps = torch.nn.ModuleList(maps)
        self.input_transform, self.output_transform = None, None
        self.num_outputs = sum(part.num_outputs for part in maps)
        self.batch_shape = torch.broadcast_shapes(*(part.batch_shape for part in maps))

    def forward(self, x: Tensor) -> Tensor:
        """``batch_shape x n x num_outputs``."""
        return torch.cat([part(x) for part in self.maps], -1)


def evaluation_prior(model: SingleTaskGP) -> SingleTaskGP:
    """A copy whose mean and covariance modules say all of the prior that predictions are made from.

    Args:
        model: An `AmdahlGP` of any batch shape.
    """
    prior = deepcopy(model).eval()
    law = prior.mean_module
    prior.__class__ = SingleTaskGP  # whose prior is what its modules say, and nothing more
    prior.mean_module = IntegratedLaw(law)
    prior.covar_module = EvaluationKernel(prior.covar_module, LawCovariance(law))
    return prior


@GenKernelFeatures.register(ResidualCorrelation)
def _residual_features(
    kernel: ResidualCorrelation, *, num_inputs: int, num_outputs: int
) -> FeatureMap:
    return ResidualFeatures(kernel, num_outputs)


@GenKernelFeatures.register(LawCovariance)
def _law_features(kernel: LawCovariance, *, num_inputs: int, num_outputs: int) -> FeatureMap:
    return LawFeatures(kernel.law)


@GenKernelFeatures.register(EvaluationKernel)
def _features(kernel: EvaluationKernel, *, num_inputs: int, num_outputs: int) -> FeatureMap:
    parts = (gen_kernel_features(part, num_inputs, num_outputs) for part in kernel.kernels)
    return JointFeatures(*parts)


def register(kind: type[SingleTaskGP]) -> None:
    """Has BoTorch draw paths of a class of models from their `evaluation_prior`.

    Args:
        kind: `AmdahlGP`, or a class that extends it.
    """
    likelihoods = (GaussianLikelihood, FixedNoiseGaussianLikelihood)

    @DrawKernelFeaturePaths.register(kind)
    def prior_paths(model: SingleTaskGP, **options: Any) -> SamplePath:
        return draw_kernel_feature_paths(evaluation_prior(model), **options)

    @GaussianUpdate.register(kind, likelihoods)
    def update(model: SingleTaskGP, likelihood: Likelihood, **options: Any) -> SamplePath:
        return gaussian_update(evaluation_prior(model), likelihood=likelihood, **options)
