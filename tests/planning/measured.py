"""Histories that tests plan from."""

import numpy as np

from arbo_bo.experiment import Experiment
from arbo_bo.experiment.drafts import attached_trial
from arbo_bo.planning.histories import Histories, TaskHistory

DEGREES = (1, 2, 4, 8, 16)


def history(task, law, *, degrees=DEGREES, repeats=3, noise=0.03, seed=0, rows=()):
    """A task with runs at every degree, by a law in seconds."""
    rng = np.random.default_rng(seed)
    experiment = Experiment(task)
    given = [
        {"parallelism": s, "execution_time_s": law(s) * float(np.exp(noise * z))}
        for s in degrees
        for z in rng.standard_normal(repeats)
    ]
    return TaskHistory(experiment, [attached_trial(experiment, r) for r in [*given, *rows]])


def runs(workflow, measured, task_of=lambda name: name):
    """Histories of whole runs: by run, by stage, the keyword arguments of an attached trial."""
    found = {}
    for number, run in enumerate(measured):
        for stage, row in run.items():
            task = workflow[stage].experiment
            trial = attached_trial(Experiment(task), {**row, "run_key": f"run-{number}"})
            found.setdefault(task, []).append(trial)
    return Histories([TaskHistory(Experiment(t), trials) for t, trials in found.items()])
