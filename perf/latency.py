"""What one decision costs a warm process: ``make bench-latency``.

Processor time, medians of repeats in turns, and each over what BoTorch's own fit of the same model
to the same fifty runs takes in the same run, by L-BFGS-B on autograd from one start: a busy or slow
machine shows in both. A decision is `ArboOptimizer.suggest` on an SQLite file: it reads the window,
fits from what the last decision stored, chooses among 32 degrees and writes the trial. A fit is its
part between the two, and a choice what follows the fit.
"""

import argparse
import statistics
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from measuring import RUNS, cpu_ms, history

from arbo_bo import ArboOptimizer
from arbo_bo.experiment import Context, Experiment, SearchSpace
from arbo_bo.experiment.experiment import MAX_WINDOW
from arbo_bo.generation.choice import choose
from arbo_bo.generation.surrogate import fit

REPEATS = 30
PEER = "BoTorch's own fit of the same model"
SETTINGS: dict[str, dict[str, str]] = {
    "gp": {},
    "auto": {"mean": "auto"},
    "online": {"estimator": "online"},
}


@dataclass(frozen=True)
class Case:
    """One line of the table.

    Attributes:
        name: What it is called there.
        action: What is measured.
        target_ms: Its most time; None: there is none.
        after: What is done after it, outside of the clock.
    """

    name: str
    action: Callable[[], object]
    target_ms: float | None = None
    after: Callable[[], object] = lambda: None


def withdraw(arbo: ArboOptimizer, task: str) -> None:
    """Takes the decided run back, so that the next decision finds the same task."""
    newest = arbo.trials(task)[-1]
    arbo.mark_trial_abandoned(task, newest.trial_index)


def fits(arbo: ArboOptimizer) -> list[Case]:
    """Fits that go on from what was learned of the same window."""

    def case(runs: int, target_ms: float) -> Case:
        name = f"runs-{runs}"
        arbo.configure_experiment(name, window=runs)
        arbo.attach_trials(name, history(seed=1, runs=runs))
        arbo.suggest(name)
        withdraw(arbo, name)
        experiment, trials = arbo.experiment(name), arbo.store.history(name, runs)
        return Case(f"fit of {runs} runs", lambda: fit(experiment, trials), target_ms)

    return [case(RUNS, 6), case(MAX_WINDOW, 300)]


def choices(arbo: ArboOptimizer, task: str) -> list[Case]:
    """Choices among all degrees up to a largest, by what one fit says."""
    experiment, trials = arbo.experiment(task), arbo.store.history(task, RUNS)
    learned, law = fit(experiment, trials), experiment.model.law
    assert law is not None

    def choice(among: Experiment) -> object:
        return choose(among, learned, trials, Context(1.0, 0.0), law)

    def case(largest: int, target_ms: float | None) -> Case:
        among = replace(experiment, search_space=SearchSpace.between(1, largest))
        return Case(f"choice among {largest} degrees", lambda: choice(among), target_ms)

    return [case(32, None), case(512, 8)]


def decisions(arbo: ArboOptimizer) -> list[Case]:
    """Whole decisions, the store's part included."""
    targets = {"gp": 12, "auto": 30, "online": 15}

    def case(name: str) -> Case:
        arbo.configure_experiment(name, **SETTINGS[name])
        arbo.attach_trials(name, history(seed=1))
        said = ", ".join(f'{key}="{value}"' for key, value in SETTINGS[name].items())
        label = f"decision{', ' if said else ''}{said}, with store"
        return Case(
            label,
            lambda: arbo.suggest(name, input_size=1.0),
            targets[name],
            lambda: withdraw(arbo, name),
        )

    return [case(name) for name in SETTINGS]


def peer(rows: list[dict[str, float]]) -> Case:
    """BoTorch's fit of an `AmdahlGP` to the same runs, from one start."""
    import torch
    from botorch.fit import fit_gpytorch_mll
    from botorch.optim.fit import fit_gpytorch_mll_scipy
    from gpytorch.mlls import ExactMarginalLogLikelihood

    from arbo_bo.models import AmdahlGP

    torch.set_num_threads(1)
    base = rows[0]["input_size"]
    X = torch.tensor(
        [[r["parallelism"], r["input_size"] / base, r["cluster_load"]] for r in rows],
        dtype=torch.float64,
    )
    log_time = torch.tensor([[r["execution_time_s"]] for r in rows], dtype=torch.float64).log()

    def by_autograd() -> None:
        model = AmdahlGP(X, log_time)
        mll = ExactMarginalLogLikelihood(model.likelihood, model)
        fit_gpytorch_mll(mll, optimizer=fit_gpytorch_mll_scipy)

    return Case(PEER, by_autograd)


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=REPEATS)
    repeats = parser.parse_args().repeats
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        arbo = stack.enter_context(ArboOptimizer(f"sqlite:///{Path(folder) / 'arbo.db'}"))
        learned, whole = fits(arbo), decisions(arbo)
        cases = [*learned, *choices(arbo, f"runs-{RUNS}"), *whole, peer(history(seed=1))]
        times = cpu_ms([(case.action, case.after) for case in cases], repeats)
    report(cases, [statistics.median(taken) for taken in times])


def report(cases: list[Case], medians: list[float]) -> None:
    """One line a case: processor time, target, and the ratio to the peer, which comes last."""
    print(f"{'warm process, 50 runs unless said':<42} {'CPU ms':>8} {'target':>8} {'of peer':>8}")
    for case, taken in zip(cases, medians, strict=True):
        target = "" if case.target_ms is None else f"{case.target_ms:g}"
        print(f"{case.name:<42} {taken:>8.1f} {target:>8} {taken / medians[-1]:>8.3f}")


if __name__ == "__main__":
    main()
