"""A recurring DAG learns: baseline, probe, decisions."""

SIZES = (1.0, 1.2, 0.8, 1.5, 1.0, 2.0, 0.7, 1.3)


def test_stage_learns_when_its_dag_runs_eight_times(airflow, arbo, capsys):
    advices, lengths, merged = [], [], []
    for size in SIZES:
        run = airflow.trigger("eight", size=size, work_s=2.0 * size).wait()
        assert run.state == "success"
        advices.append(run.xcom("plan_eight", "arbo")[0])
        lengths.append(len(run.instances("work")))
        merged.append(run.xcom("merge"))
    trials = arbo.trials("eight.eight")
    with capsys.disabled():
        print("\nsize  workers  phase     predicted  measured")
        for trial in trials:
            predicted = trial.predicted_time_s
            shown = "-" if predicted is None else f"{predicted:.2f} s"
            print(
                f"{trial.input_size:4}  {trial.parallelism:7}  {trial.phase:8}  {shown:>9}"
                f"  {trial.execution_time_s:6.2f} s ({trial.time_measure})"
            )
    degrees = [advice["parallelism"] for advice in advices]
    assert lengths == merged == degrees == [trial.parallelism for trial in trials]
    assert [trial.status for trial in trials] == ["COMPLETED"] * len(SIZES)
    assert [trial.phase for trial in trials] == ["baseline", "probe"] + ["optimize"] * 6
    assert [trial.input_size for trial in trials] == list(SIZES)
    assert all(len(advice["candidates"]) == 3 for advice in advices[2:])
    assert {trial.time_measure for trial in trials} == {"makespan"}
