"""How long one decision takes in a warm process: ``make bench-latency``.

Fifty completed runs in an SQLite file; each repeat is one `ArboOptimizer.suggest`, with reading the
window, the refit from the stored warm start, the search over 32 degrees and writing the trial. The
peer in the same process is BoTorch's own fit of the same model to the same window, by L-BFGS-B on
autograd; both start cold, and the peer from one start only.
"""

import statistics
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import cast

import torch
from botorch.fit import fit_gpytorch_mll
from botorch.optim.fit import fit_gpytorch_mll_scipy
from gpytorch.mlls import ExactMarginalLogLikelihood
from measuring import RUNS, history, measure_ms

from arbo_bo import ArboOptimizer
from arbo_bo.generation.surrogate import GPSurrogate, fit, one_thread
from arbo_bo.models import AmdahlGP

REPEATS = 30


def main() -> None:
    """Prints medians and 90 % quantiles."""
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        arbo = ArboOptimizer(f"sqlite:///{Path(folder) / 'arbo.db'}")
        arbo.attach_trials("task", history(seed=1))

        def suggest() -> None:
            decision = arbo.suggest("task", input_size=1.0)
            arbo.mark_trial_abandoned("task", decision.trial_index)

        decisions = measure_ms(suggest, REPEATS)
        experiment, trials = arbo.experiment("task"), arbo.store.history("task", RUNS)
        warm = measure_ms(lambda: fit(experiment, trials), REPEATS)
        model = cast(GPSurrogate, fit(experiment, trials)).model
        X, log_time = model.train_inputs[0], model.train_targets.unsqueeze(-1)

        def by_autograd(mll: ExactMarginalLogLikelihood) -> object:
            return fit_gpytorch_mll(mll, optimizer=fit_gpytorch_mll_scipy)

        def cold(fit_mll: Callable[[ExactMarginalLogLikelihood], object]) -> None:
            fresh = AmdahlGP(X, log_time)
            with one_thread():
                fit_mll(ExactMarginalLogLikelihood(fresh.likelihood, fresh))

        ours, peers = (
            measure_ms(lambda: cold(fit_gpytorch_mll), REPEATS),
            measure_ms(lambda: cold(by_autograd), REPEATS),
        )
        arbo.close()
    for name, times in (
        ("suggest + abandon, 50 trials, SQLite, warm refit", decisions),
        ("  of it the fit (analytic gradient, 4 starts)", warm),
        ("cold fit, analytic gradient, 3 starts", ours),
        ("peer: cold fit, BoTorch on autograd, 1 start", peers),
    ):
        q90 = statistics.quantiles(times, n=10)[-1]
        print(f"{name:<50} median {statistics.median(times):6.1f} ms   90 % {q90:6.1f} ms")
    ratio = statistics.median(peers) / statistics.median(ours)
    print(f"autograd with one start / analytic gradient with three: {ratio:.1f}x")


if __name__ == "__main__":
    main()
