"""Simulated tasks whose truth is known, played through `generate` as `ArboOptimizer` would."""

from dataclasses import replace

import numpy as np

from arbo_bo.experiment import (
    AmdahlLaw,
    Arm,
    Context,
    Experiment,
    Objective,
    Phase,
    SearchSpace,
    Trial,
    TrialStatus,
)
from arbo_bo.generation import generate

LAW = AmdahlLaw(300.0, 0.93, 5.0)
SPACE = SearchSpace.between(1, 32)
HERE = Context(None, 0.0)


def configured(base_input_size=None, **settings):
    experiment = Experiment("t", search_space=SPACE).changed(settings)
    return replace(experiment, model=replace(experiment.model, base_input_size=base_input_size))


def completed(index, s, time_s, size=None):
    return Trial("t", index, TrialStatus.COMPLETED, Arm(s), Context(size, 0.0), Phase.OPTIMIZE,
                 execution_time_s=float(time_s))  # fmt: skip


def timed_out(index, s, limit_s):
    return Trial("t", index, TrialStatus.FAILED, Arm(s), HERE, Phase.OPTIMIZE,
                 timed_out_after_s=float(limit_s))  # fmt: skip


def noisy(noise, seed=0, law=LAW):
    """A run's time at a degree, lognormal around the law."""
    rng = np.random.default_rng(seed)
    return lambda s, gamma=1.0: law.runtime_s(s, gamma) * np.exp(noise * rng.standard_normal())


def runs(degrees, time_of):
    return [completed(i, s, time_of(s)) for i, s in enumerate(degrees)]


def learned(experiment, trials):
    """The experiment with what a decision on this history would store."""
    found = generate(experiment, trials, HERE).learned
    model = replace(experiment.model, law=found.law, hyperparameters=found.hyperparameters)
    return replace(experiment, model=model)


def play(experiment, trials, n, time_of):
    """n more runs, each decided, run and learned from: the experiment and all trials after them."""
    trials = list(trials)
    for _ in range(n):
        generated = generate(experiment, trials[-experiment.window :], HERE)
        s = generated.decision.parallelism
        trials.append(completed(len(trials), s, time_of(s)))
        if generated.learned is not None:
            found = generated.learned
            model = replace(experiment.model, law=found.law, hyperparameters=found.hyperparameters)
            experiment = replace(experiment, model=model)
    return experiment, trials


def regret(s, law=LAW, objective=Objective()):  # noqa: B008  frozen
    """How much worse than the best degree's score that of s is, by the truth."""
    scores = {d: objective.score(law.runtime_s(d), d) for d in SPACE.degrees}
    return scores[s] / min(scores.values()) - 1
