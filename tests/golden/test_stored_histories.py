"""Stored histories are decided as by the version that fitted with L-BFGS-B and decided on torch.

Where a decision differs, the new fit must be the better one: its log posterior density of the same
runs is larger than that of the stored hyperparameters.
"""

import gzip
import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from arbo_bo.experiment import (
    Arm,
    Context,
    Experiment,
    MaxCost,
    MaxExecutionTime,
    MeanFunction,
    Objective,
    Phase,
    Residual,
    SearchSpace,
    Trial,
    TrialStatus,
)
from arbo_bo.generation import generate
from arbo_bo.generation.outcomes import FailureEvidence
from arbo_bo.generation.window import Window
from arbo_bo.numerics.batches import stacked
from arbo_bo.numerics.fitting import fit, log_evidence
from arbo_bo.numerics.laws import LAWS
from arbo_bo.numerics.problem import FitProblem

TIE = 0.02
"""Nats or log units by which two degrees' values may differ and still be a tie: the tolerance of
the stored search, seen in the values."""
BETTER = 0.02
"""Nats."""
EVIDENCE_TIE = 0.5
"""Nats: a fit that found a better optimum of one law than then."""
LINES = gzip.decompress(
    (Path(__file__).parent / "decisions.jsonl.gz").read_bytes()
).decode().splitlines()  # fmt: skip
HISTORIES = [json.loads(line) for line in LINES]


def experiment_of(settings, base_input_size, mean):
    slo = tuple(
        MaxExecutionTime(level["time_s"], level["confidence"])
        if "time_s" in level
        else MaxCost(level["cost"], level["price"], level["confidence"])
        for level in settings["slo"]
    )
    configured = Experiment(
        "t",
        search_space=SearchSpace.between(*settings["parallelism"]),
        default_parallelism=settings["default_parallelism"],
        mean=mean,
        residual=settings["residual"],
        objective=Objective(settings["urgency"]),
    ).changed({"acquisition": settings["acquisition"], "slo": slo, "guard": settings["guard"]})
    return replace(configured, model=replace(configured.model, base_input_size=base_input_size))


def trial_of(index, degree, size, load, time_s, outcome):
    status = TrialStatus.COMPLETED if outcome == "COMPLETED" else TrialStatus.FAILED
    measured = {"COMPLETED": "execution_time_s", "TIMED_OUT": "timed_out_after_s"}.get(outcome)
    options = {} if measured is None else {measured: time_s}
    context = Context(size, load)
    return Trial("t", index, status, Arm(degree), context, Phase.OPTIMIZE, **options)


def read(history):
    base = None if history["runs"][0][1] is None else 1e9
    # "auto" took the law of the largest evidence then; now it weighs, and decides otherwise.
    configured = experiment_of(history["settings"], base, history["expected"]["mean"])
    trials = [trial_of(i, *run) for i, run in enumerate(history["runs"])]
    size = history["context"][0]
    for degree, load in history["pending"]:
        arm, at = Arm(degree), Context(size, load)
        trials.append(Trial("t", len(trials), TrialStatus.RUNNING, arm, at, Phase.OPTIMIZE))
    return configured, trials, Context(*history["context"])


def problem_of(configured, trials, mean):
    window = Window.of(configured, trials)
    return FitProblem.of(
        window.inputs(),
        window.times_s(),
        mean=MeanFunction(mean),
        residual=configured.residual,
        startup_time_s=window.startup_time_s,
        censored=window.censored(),
    )


def nats_gained(configured, trials, expected):
    """How much larger the density of the new fit is than that of the stored hyperparameters."""
    problem = problem_of(configured, trials, expected["mean"])
    stored = np.array(expected["x"])
    if configured.residual is Residual.ADDITIVE:  # stored in seconds
        stored[[-5, -1]] -= 2 * math.log(expected["scale"])
    found = fit(problem)
    runs = {"kept": found.kept[None] * 1.0, "y": found.explanation.y[None]}
    evidence = stacked([problem], **runs)
    return evidence.evaluate(found.x[None])[0][0] - evidence.evaluate(stored[None])[0][0]


@pytest.mark.parametrize("history", HISTORIES, ids=lambda h: str(h["seed"]))
def test_stored_history_is_decided_alike(history, monkeypatch):
    # Failed runs told nothing then; what they tell now has a test of its own.
    monkeypatch.setattr(FailureEvidence, "of", lambda *_: None)
    configured, trials, context = read(history)
    decision = generate(configured, trials, context).decision
    wanted = history["expected"]["parallelism"]
    if decision.parallelism == wanted:
        return
    values = {c.parallelism: c.value for c in decision.candidates}
    if values[decision.parallelism] - values[wanted] < TIE:
        return
    assert nats_gained(configured, trials, history["expected"]) > BETTER


@pytest.mark.parametrize(
    "history",
    [h for h in HISTORIES if h["settings"]["mean"] == "auto"],
    ids=lambda h: str(h["seed"]),
)
def test_evidence_is_largest_for_the_law_that_it_chose_then(history):
    configured, trials, _ = read(history)
    problems = {mean: problem_of(configured, trials, mean) for mean in LAWS}
    expected = history["expected"]["mean"]
    if not problems[expected].identifies_law:
        return
    evidence = {mean: log_evidence(fit(problem)) for mean, problem in problems.items()}
    assert evidence[expected] > max(evidence.values()) - EVIDENCE_TIE
