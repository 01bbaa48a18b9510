"""A task whose law is known, and runs of it."""

from arbo_bo import AmdahlLaw

LAW = AmdahlLaw(100.0, 0.9, 2.0)


def run(arbo, task="t", **context):
    decision = arbo.suggest(task, **context)
    time = LAW.runtime_s(decision.parallelism)
    arbo.complete_trial(task, decision.trial_index, execution_time_s=time)
    return decision
