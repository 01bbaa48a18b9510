"""Trials become tensors, and a fitted model becomes predictions."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from statistics import fmean, median
from typing import TYPE_CHECKING

from threadpoolctl import ThreadpoolController

from arbo_bo.errors import NotEnoughObservationsError
from arbo_bo.experiment import (
    Candidate,
    Context,
    Experiment,
    Learned,
    Objective,
    Prediction,
    Trial,
    TrialStatus,
)

if TYPE_CHECKING:
    from arbo_bo.models import AmdahlGP

EXPECTED_COST = "expected_cost"


@dataclass(frozen=True)
class Surrogate:
    """A model fitted to a task's window.

    Attributes:
        model: The Gaussian process.
        typical_load: What stands for an unknown cluster load: the mean of the window's known ones.
        base_input_size: N_base; None: unknown.
        degrees_seen: How many distinct degrees the window holds.
    """

    model: "AmdahlGP"
    typical_load: float
    base_input_size: float | None
    degrees_seen: int

    def predict(self, degrees: Sequence[int], context: Context) -> list[Prediction]:
        """The next run's time at each degree, the noise of a run included."""
        import torch

        from arbo_bo.acquisition.search import degree_inputs

        X = degree_inputs(degrees, *self._at(context)).unsqueeze(-2)
        with torch.no_grad(), one_thread():
            posterior = self.model.posterior(X, observation_noise=True)
            location = posterior.mean.flatten().tolist()
            scale = posterior.variance.clamp_min(1e-12).sqrt().flatten().tolist()
        residual = self.model.residual
        return [
            Prediction(s, mu, sigma, residual)
            for s, mu, sigma in zip(degrees, location, scale, strict=True)
        ]

    def candidates(
        self, degrees: Sequence[int], objective: Objective, context: Context
    ) -> list[Candidate]:
        """Every degree with its prediction and its expected cost."""
        from arbo_bo.acquisition import ExpectedCost, evaluate_degrees

        with one_thread():
            values = evaluate_degrees(
                ExpectedCost(self.model, objective), degrees, *self._at(context)
            )
        predictions = self.predict(degrees, context)
        scores = (-values).exp().tolist()
        return [Candidate(p, score) for p, score in zip(predictions, scores, strict=True)]

    def learned(self, previous: Experiment) -> Learned:
        """What to store: the law always, the hyperparameters where the window could teach them."""
        if self.degrees_seen < 2:
            return Learned(self.model.law, previous.model.hyperparameters)
        return Learned(self.model.law, self.model.hyperparameters.to_json())

    def _at(self, context: Context) -> tuple[float, float]:
        load = context.cluster_load
        return context.gamma(self.base_input_size), self.typical_load if load is None else load


def fit(experiment: Experiment, trials: Sequence[Trial]) -> Surrogate:
    """Fits the model to the newest window of completed trials, oldest first.

    Raises:
        NotEnoughObservationsError: No trial is completed.
    """
    completed = [t for t in trials if t.status is TrialStatus.COMPLETED]
    window = completed[-experiment.window :]
    if not window:
        raise NotEnoughObservationsError(
            f"{experiment.name!r} has no completed run yet: complete one trial, or attach history"
        )
    import torch

    from arbo_bo.models import Hyperparameters, fit_amdahl_gp

    base = experiment.model.base_input_size
    loads = [t.cluster_load for t in window if t.cluster_load is not None]
    typical = fmean(loads) if loads else 0.0
    rows = [
        (
            float(t.parallelism),
            t.context.gamma(base),
            typical if t.cluster_load is None else t.cluster_load,
        )
        for t in window
    ]
    startups = [t.startup_time_s for t in window if t.startup_time_s]
    with one_thread():
        model = fit_amdahl_gp(
            torch.tensor(rows, dtype=torch.float64),
            torch.tensor([[t.execution_time_s] for t in window], dtype=torch.float64),
            residual=experiment.residual,
            warm_start=Hyperparameters.from_json(experiment.model.hyperparameters),
            startup_time_s=median(startups) if startups else None,
        )
    return Surrogate(model, typical, base, len({t.parallelism for t in window}))


@contextmanager
def one_thread() -> Iterator[None]:
    """Runs torch and the BLAS on one thread: for matrices this small a second one only costs."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with _blas().limit(limits=1):
            yield
    finally:
        torch.set_num_threads(threads)


@cache
def _blas() -> ThreadpoolController:
    """The loaded BLAS libraries; looking for them takes milliseconds, so once a process."""
    return ThreadpoolController()
