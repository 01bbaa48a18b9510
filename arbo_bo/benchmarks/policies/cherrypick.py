"""A plain Gaussian process with expected improvement, as CherryPick does it."""

from collections.abc import Sequence
from statistics import NormalDist
from typing import TYPE_CHECKING

from arbo_bo.benchmarks.policies.history import RememberingPolicy, cheapest_in_time
from arbo_bo.benchmarks.policies.peers import seeded_torch
from arbo_bo.experiment import Context

if TYPE_CHECKING:
    from botorch.models import SingleTaskGP
    from torch import Tensor

STOP_FRACTION = 0.1
STOP_RUNS = 6


class GPEIPolicy(RememberingPolicy):
    """BoTorch's `SingleTaskGP` on the score with `LogExpectedImprovement`, its defaults throughout.

    Inputs are the degree and, once they vary, the input size and the cluster load, normalised; the
    outcome, the score itself, is standardised. Every allowed degree is evaluated at the run's
    context. Logarithms of the degree, the size or the score were tried and chose no better on
    measured runs.

    `best_f` is the best posterior mean over the allowed degrees at this run's context: the best
    observed score would be that of the smallest input, which no degree can improve on at a larger
    one. Where the context never varies, the best observed score chose as well as this.

    CherryPick's own rule ends the exploration: after six runs, while the largest expected
    improvement is below a tenth of `best_f`, the degree of the best posterior mean is taken. The
    rule is looked at anew at every run, so that a task that changes is explored again.

    With a deadline, a second model of the same class learns the time: the rule above holds among
    the degrees whose mean plus z standard deviations, the noise of a run included, keeps the
    deadline, z being the normal quantile of the setting's confidence; else the smallest such bound.

    Source: O. Alipourfard, H. H. Liu, J. Chen, S. Venkataraman, M. Yu, M. Zhang, "CherryPick:
    Adaptively Unearthing the Best Cloud Configurations for Big Data Analytics", NSDI 2017.
    """

    def ask(self, context: Context, degrees: Sequence[int]) -> int:
        """The degree of the largest expected improvement, or of the best mean."""
        if not self.runs:
            return int(degrees[0])
        with seeded_torch(self.setting.seed + len(self.runs)):
            losses = self._losses(context, degrees)
            bounds_s = self._time_bounds_s(context, degrees)
        return cheapest_in_time(degrees, losses, bounds_s, self.setting.deadline_s)

    def _losses(self, context: Context, degrees: Sequence[int]) -> list[float]:
        """What is to be smallest: minus log expected improvement, or the posterior mean score."""
        import torch
        from botorch.acquisition import ExpectedImprovement, LogExpectedImprovement

        model = self._fitted([-self.score(run) for run in self.runs])
        X = self._inputs([(s, context) for s in degrees])
        with torch.no_grad():
            mean = model.posterior(X).mean
            best_f, at = mean.max(), X.unsqueeze(-2)
            largest = ExpectedImprovement(model, best_f=best_f)(at).max()
            if len(self.runs) >= STOP_RUNS and largest < STOP_FRACTION * best_f.abs():
                return [-float(value) for value in mean.flatten()]
            improvement = LogExpectedImprovement(model, best_f=best_f)(at)
        return [-float(value) for value in improvement]

    def _time_bounds_s(self, context: Context, degrees: Sequence[int]) -> list[float]:
        """The time that the next run keeps with the setting's confidence [s]; 0 if none asks."""
        import torch

        if self.setting.deadline_s is None:
            return [0.0] * len(degrees)
        model = self._fitted([run.execution_time_s for run in self.runs])
        with torch.no_grad():
            X = self._inputs([(s, context) for s in degrees])
            posterior = model.posterior(X, observation_noise=True)
        z = NormalDist().inv_cdf(self.setting.confidence)
        bound = posterior.mean + z * posterior.variance.sqrt()
        return [float(value) for value in bound.flatten()]

    def _fitted(self, outcomes: Sequence[float]) -> "SingleTaskGP":
        """The model of one outcome, or its prior where no fit succeeds."""
        import torch
        from botorch.exceptions import ModelFittingError
        from botorch.fit import fit_gpytorch_mll
        from botorch.models import SingleTaskGP
        from botorch.models.transforms import Normalize
        from gpytorch.mlls import ExactMarginalLogLikelihood

        X = self._inputs([(run.parallelism, run.context) for run in self.runs])
        Y = torch.tensor(outcomes, dtype=torch.float64).unsqueeze(-1)
        bounds = torch.stack((X.amin(dim=0), X.amax(dim=0)))
        space = self.setting.space
        bounds[:, 0] = torch.tensor([space.smallest, space.largest], dtype=torch.float64)
        model = SingleTaskGP(X, Y, input_transform=Normalize(X.shape[-1], bounds=bounds))
        try:
            fit_gpytorch_mll(ExactMarginalLogLikelihood(model.likelihood, model))
        except ModelFittingError:
            model.eval()
        return model

    def _inputs(self, points: Sequence[tuple[int, Context]]) -> "Tensor":
        """``n x d`` in float64: the degree, and what of the context varies over the runs."""
        import torch

        told = [self._features(run.parallelism, run.context) for run in self.runs]
        varying = [i for i in (1, 2) if len({row[i] for row in told}) > 1]
        rows = torch.tensor([self._features(s, c) for s, c in points], dtype=torch.float64)
        return rows[:, [0, *varying]]

    def _features(self, parallelism: int, context: Context) -> tuple[float, float, float]:
        return float(parallelism), self.gamma(context), self.load(context)
