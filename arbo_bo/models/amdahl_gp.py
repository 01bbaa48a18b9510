"""Amdahl's law, or another, plus a Gaussian-process residual, as a BoTorch model."""

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import torch
from botorch.fit import fit_gpytorch_mll
from botorch.models import SingleTaskGP
from botorch.models.utils.assorted import fantasize
from botorch.posteriors import GPyTorchPosterior
from gpytorch.distributions import MultivariateNormal
from gpytorch.mlls import MarginalLogLikelihood
from linear_operator import to_linear_operator
from torch import Tensor

from arbo_bo.experiment import AmdahlLaw, Residual
from arbo_bo.models import pathwise
from arbo_bo.models.batches import sliced
from arbo_bo.models.inputs import (
    check_inputs,
    check_log_seconds,
    checked_residual,
    window_scale,
)
from arbo_bo.models.kernel import ResidualKernel, RunNoise
from arbo_bo.models.mean import AmdahlMean
from arbo_bo.models.outcome import LognormalPosterior, LogTime, RelativeTime, refuse_transforms
from arbo_bo.models.scalability import LawPrior, ScalabilityMean
from arbo_bo.models.time_posterior import TimePosterior
from arbo_bo.numerics.anomalies import Explanation
from arbo_bo.numerics.fitting import Fit
from arbo_bo.numerics.hyperparameters import Hyperparameters
from arbo_bo.numerics.priors import ResidualPrior


class AmdahlGP(SingleTaskGP):
    """A Gaussian process on a scalability law, whose prior is wider in evaluation than in training.

    multiplicative (default): log T(x) = log law(s, gamma) + R(x), outcome log seconds; T is
    lognormal. additive (the method's original form): T(x) = law(s, gamma) + R(x), outcome seconds.
    The mean sees s, gamma and L in physical units, so there is no input transform.

    In training the law is what its parameters say, and a fit finds the most probable ones. In
    evaluation they are integrated out around these (`ScalabilityMean.integrated`), so that the
    posterior knows what few runs leave open of the law; leave-one-out cross-validation and pathwise
    sampling are of that prior. What reads the modules of a model, as BoTorch's
    NoisyExpectedImprovement does, sees the law's best parameters alone. R is a Gaussian process on
    log s, log gamma and L / (L + 8), of which a Matern-5/2 part is learned. A Matern part of short
    lengthscales and a trend in log s are not: they have fixed shares of its variance
    (`numerics.kernel.structure`).

    `fit_gpytorch_mll` fits it, through an analytic gradient from several starts where it can
    (`custom_fit`). A fit ends with the noise inflated to what predicts: `likelihood.noise`.

    Args:
        train_X: ``batch_shape x n x 3``: s (1 or more), gamma (above 0), L (0 or more). Float64,
            whatever comes in.
        train_Y: ``batch_shape x n x m``: the natural logarithm of the execution time in seconds, or
            seconds for an additive residual; see `outcome_of_time`.
        train_Yvar: ``batch_shape x n x m`` observed noise variance in the outcome's unit squared;
            None: a homoscedastic noise is inferred.
        residual: "multiplicative" or "additive".
        law_prior: Priors on the law's parameters, in place of their own.
        residual_prior: Priors on the kernel and the noise.
        time_scale: u [s] that the law's parameters are relative to; None: the window's own.
        mean: The law.
        outcome_transform: `LogTime`, for train_Y (and train_Yvar) in seconds beside a
            multiplicative residual; the posterior is of seconds then, with the lognormal's moments.
            No other: one that standardizes would hide the unit of time from the law.
        input_transform: None: the law needs s, gamma and L in physical units.

    Attributes:
        explanation: What `fit_amdahl_gp` made of the window's runs; None of another's model.

    Raises:
        ShapeError: train_X has not three columns.
        InvalidValueError: A degree below 1, a gamma not above 0, a negative load, log seconds of
            more than a century, an unknown residual or a transform.

    Example:
        >>> X = torch.tensor([[1.0, 1, 0], [2, 1, 0], [4, 1, 0]])
        >>> model = AmdahlGP(X, torch.tensor([[292.0], [150], [83]]).log())
        >>> mll = fit_gpytorch_mll(ExactMarginalLogLikelihood(model.likelihood, model))
        >>> mean_s = model.time_posterior(torch.tensor([[8.0, 1, 0]])).mean
    """

    def __init__(
        self,
        train_X: Tensor,
        train_Y: Tensor,
        train_Yvar: Tensor | None = None,
        residual: Residual | str = Residual.MULTIPLICATIVE,
        law_prior: LawPrior | None = None,
        residual_prior: ResidualPrior | None = None,
        time_scale: Tensor | None = None,
        mean: type[ScalabilityMean] = AmdahlMean,
        outcome_transform: LogTime | None = None,
        input_transform: None = None,
    ) -> None:
        refuse_transforms(input_transform, outcome_transform)
        train_X, train_Y = train_X.to(torch.float64), train_Y.to(torch.float64)
        if train_Yvar is not None:
            train_Yvar = train_Yvar.to(torch.float64)
        check_inputs(train_X, "train_X")
        residual = checked_residual(residual, outcome_transform is not None)
        self._validate_tensor_args(X=train_X, Y=train_Y, Yvar=train_Yvar)
        _, batch_shape = self.get_batch_dimensions(train_X=train_X, train_Y=train_Y)
        multiplicative = residual is Residual.MULTIPLICATIVE
        log_seconds = multiplicative and outcome_transform is None
        if log_seconds:
            check_log_seconds(train_Y, "train_Y")
        if time_scale is None:
            time = train_Y.exp() if log_seconds else train_Y
            time_scale = window_scale(train_X, time, mean, law_prior)
        scale = time_scale.to(torch.float64).reshape(*batch_shape, 1)
        if not multiplicative:
            per_output = scale.reshape(*train_Y.shape[:-2], 1, train_Y.shape[-1])
            outcome_transform = RelativeTime(per_output)
        super().__init__(
            train_X=train_X,
            train_Y=train_Y,
            train_Yvar=train_Yvar,
            likelihood=None if train_Yvar is not None else RunNoise(batch_shape, residual_prior),
            mean_module=mean(batch_shape, scale, law_prior, multiplicative, not multiplicative),
            covar_module=ResidualKernel(batch_shape, residual_prior),
            outcome_transform=outcome_transform,
        )
        self.residual = residual
        self.explanation: Explanation | None = None
        self._fits_as_botorch_does = False

    def forward(self, x: Tensor) -> MultivariateNormal:
        """The prior at x, ``batch_shape x n x 3``: wider in evaluation, see the class."""
        if self.training:
            return super().forward(x)
        mean, root = self.mean_module.integrated(x)
        return MultivariateNormal(mean, self.covar_module(x) + to_linear_operator(root @ root.mT))

    def posterior(self, X: Tensor, *args: Any, **options: Any) -> GPyTorchPosterior:
        """As BoTorch's; X in physical units, ``batch_shape x q x 3``.

        Raises:
            ShapeError: X has not three columns.
            InvalidValueError: An input is outside its domain.
        """
        check_inputs(X, "X")
        return super().posterior(X, *args, **options)

    def condition_on_observations(self, X: Tensor, Y: Tensor, **options: Any) -> "AmdahlGP":
        """As BoTorch's, with the checks of the constructor."""
        check_inputs(X, "X")
        if fantasize.off() and not hasattr(self, "outcome_transform"):
            check_log_seconds(Y, "Y")
        return super().condition_on_observations(X, Y, **options)

    def set_train_data(
        self,
        inputs: Tensor | tuple[Tensor, ...] | None = None,
        targets: Tensor | None = None,
        strict: bool = True,
    ) -> None:
        """As gpytorch's, with the checks of the constructor.

        Args:
            inputs: ``batch_shape x n x 3``.
            targets: What the process is trained on: log seconds, or T / u for an additive residual.
            strict: Whether shapes, types and devices must stay as they are.
        """
        if inputs is not None:
            check_inputs(inputs if torch.is_tensor(inputs) else inputs[0], "inputs")
        if targets is not None and self.residual is Residual.MULTIPLICATIVE:
            check_log_seconds(targets, "targets")
        super().set_train_data(inputs, targets, strict)

    @staticmethod
    def from_fit(fit: Fit) -> "AmdahlGP":
        """The model whose posterior is `arbo_bo.numerics.posterior.Posterior(fit)`."""
        from arbo_bo.models.from_fit import amdahl_gp_of

        return amdahl_gp_of(fit)

    @staticmethod
    def outcome_of_time(execution_time_s: Tensor, residual: Residual | str) -> Tensor:
        """Seconds -> the outcome that the model trains on."""
        time = execution_time_s.to(torch.float64)
        return time.log() if Residual(residual) is Residual.MULTIPLICATIVE else time

    @property
    def law(self) -> AmdahlLaw:
        """The part of a single model's mean that is Amdahl's law.

        Raises:
            ShapeError: The model is a batch.
        """
        return self.mean_module.law

    @property
    def fitted_hyperparameters(self) -> Hyperparameters:
        """Everything that was fitted, of a single model with inferred noise."""
        kernel, unit = self.covar_module, self._variance_unit
        return Hyperparameters(
            law=self.law,
            outputscale=kernel.outputscale.item() * unit,
            lengthscales=tuple(kernel.smooth.lengthscale.flatten().tolist()),
            noise=self.likelihood.fitted_noise.item() * unit,
            residual=self.residual,
            mean=self.mean_module.NAME,
            learned=self.mean_module.learned,
        )

    def time_posterior(self, X: Tensor, observation_noise: bool = True) -> TimePosterior:
        """The distribution of the execution time at X, of a single model.

        Args:
            X: ``batch_shape x q x 3`` in physical units.
            observation_noise: Whether of the next run's time; else of its noise-free level.
        """
        posterior = self.posterior(X, observation_noise=observation_noise)
        if isinstance(posterior, LognormalPosterior):
            posterior = posterior.log_time
        return TimePosterior(posterior, self.residual)

    def with_fitted_noise(self) -> "AmdahlGP":
        """The same model with its noise as fitted, under a prior of little noise.

        It takes what it sees for structure sooner, and so looks again: what explores is about it;
        predictions are the model's own.
        """
        model = deepcopy(self)
        model._clear_cache()
        if isinstance(model.likelihood, RunNoise):
            model.likelihood.inflate(1.0)
        return model

    @property
    def _variance_unit(self) -> float:
        """What one unit of a single model's variances is in log seconds or seconds, squared."""
        additive = self.residual is Residual.ADDITIVE
        return self.mean_module.time_scale.item() ** 2 if additive else 1.0

    def subset_output(self, idcs: list[int]) -> "AmdahlGP":
        """The same model of some of the outputs, of the same class.

        Args:
            idcs: Indices of the outputs.
        """
        if self.num_outputs == 1:
            return deepcopy(self)
        kept, outputs = torch.tensor(idcs), len(self.batch_shape)

        def some(values: Tensor) -> Tensor:
            chosen = values.index_select(outputs, kept)
            return chosen if len(idcs) > 1 else chosen.squeeze(outputs)

        model = sliced(self, some)
        if hasattr(model, "outcome_transform"):
            model.outcome_transform = model.outcome_transform.subset_output(idcs)
        model._num_outputs = len(idcs)
        return model

    @property
    def custom_fit(self) -> Callable[..., MarginalLogLikelihood]:
        """What `fit_gpytorch_mll` calls on a model that has it.

        It maximises the marginal posterior density by the search of `arbo_bo.numerics`, from where
        the model is among other starts, and each member of a batch by itself. BoTorch fits in its
        own way what that does not cover: fixed noise, another likelihood, objective, prior or
        constraint than this class sets up, another device than the CPU, or a call with options of
        its own. Whichever it was, the noise is inflated to what predicts, unless it is fixed,
        frozen or under another prior (`arbo_bo.models.analytic.calibrate`).

        Raises:
            AttributeError: While BoTorch fits in its own way, which it does where there is none.
        """
        if self._fits_as_botorch_does:
            raise AttributeError("custom_fit")
        return self._fit

    def _fit(self, mll: MarginalLogLikelihood, **options: Any) -> MarginalLogLikelihood:
        from arbo_bo.models import analytic

        mll.train()  # a model that has predicted keeps what it predicted with until then
        if isinstance(self.likelihood, RunNoise):
            self.likelihood.inflate(1.0)
        given = {name: value for name, value in options.items() if value is not None}
        if not given and analytic.has_analytic_gradient(mll):
            analytic.fit_by_analytic_gradient(self)
        else:
            self._fits_as_botorch_does = True
            try:
                fit_gpytorch_mll(mll, **given)
            finally:
                self._fits_as_botorch_does = False
            if mll.training:  # as BoTorch says that a fit has failed
                return mll
        if analytic.has_evidence(self):
            analytic.calibrate(self)
        return mll.eval()


pathwise.register(AmdahlGP)
