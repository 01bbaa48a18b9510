"""Many stages, some of them killed or failing: every run has one closed trial, and only one.

``make soak`` runs it; it takes too long for the test suite, and its name keeps it out of there.
"""

import os
from collections import Counter

STAGES = int(os.environ.get("STAGES", "200"))
AT_ONCE = 6
TROUBLE = ({}, {"1": "kill once"}, {}, {"0": "raise once"}, {}, {"1": "raise"}, {}, {"0": "kill"})


def outcome(trouble):
    """How a trial ends that met this, with one retry an instance, and whether it is clean."""
    (wanted,) = trouble.values() or ("",)
    return ("FAILED" if wanted in ("raise", "kill") else "COMPLETED", "once" not in wanted)


def test_no_trial_is_lost_or_doubled_when_many_stages_run(airflow, arbo, capsys):
    runs = []
    for number in range(STAGES):
        if number >= AT_ONCE:
            runs[number - AT_ONCE].wait(300)
        runs.append(airflow.trigger("soak", do=TROUBLE[number % len(TROUBLE)]))
    for run in runs:
        run.wait(300)
    found = {f"soak/{run.run_id}/soak": [] for run in runs}
    for trial in arbo.trials("soak.soak"):
        if trial.status != "ABANDONED":  # of a plan that was tried again
            found[trial.run_key].append((trial.status.value, trial.exclusion_reason is None))
    lost = [key for key, trials in found.items() if not trials]
    doubled = [key for key, trials in found.items() if len(trials) > 1]
    wrong = [
        key
        for number, (key, trials) in enumerate(found.items())
        if trials and trials[0] != outcome(TROUBLE[number % len(TROUBLE)])
    ]
    counts = Counter(status for trials in found.values() for status, _ in trials)
    with capsys.disabled():
        print(
            f"\n{STAGES} stages: {dict(counts)}, {len(lost)} lost, {len(doubled)} doubled, "
            f"{len(wrong)} with another outcome than their own"
        )
    assert not lost
    assert not doubled
    assert not wrong
