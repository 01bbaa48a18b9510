"""Many stages, some of them killed or failing: every run has one closed trial, and only one.

``make soak`` runs it; it takes too long for the test suite, and its name keeps it out of there.
"""

import os
from collections import Counter

STAGES = int(os.environ.get("STAGES", "200"))
AT_ONCE = 6
TROUBLE = ({}, {"1": "kill once"}, {}, {"0": "raise once"}, {}, {"1": "raise"}, {}, {"0": "kill"})


def test_no_trial_is_lost_or_doubled_when_many_stages_run(airflow, arbo, capsys):
    runs = []
    for number in range(STAGES):
        if number >= AT_ONCE:
            runs[number - AT_ONCE].wait(300)
        runs.append(airflow.trigger("soak", do=TROUBLE[number % len(TROUBLE)]))
    for run in runs:
        run.wait(300)
    trials = Counter(
        (trial.run_key, trial.status.value)
        for trial in arbo.trials("soak")
        if trial.failure_reason is None or "superseded" not in trial.failure_reason
    )
    closed = Counter(
        key for (key, status), _ in trials.items() if status in ("COMPLETED", "FAILED")
    )
    ids = {f"soak/{run.run_id}/soak" for run in runs}
    lost = ids - set(closed)
    duplicates = [key for key, _ in trials.items() if trials[key] > 1 or closed[key[0]] > 1]
    outcomes = Counter(status for _, status in trials)
    with capsys.disabled():
        print(f"\n{STAGES} stages: {dict(outcomes)}, {len(lost)} lost, {len(duplicates)} doubled")
    assert not lost
    assert not duplicates
    assert set(outcomes) == {"COMPLETED", "FAILED"}
