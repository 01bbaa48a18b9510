"""A mapped stage without the wrapper: `ArboOptimizer` in two plain tasks.

The database is ``$ARBO_DATABASE_URL``. `arbo_stage` does the same and more: the time is the
makespan, a retried or killed instance and a cleared task are told apart, and a database that is
down costs nothing but the advice.
"""

import time

from airflow.sdk import DAG, get_current_context, task, teardown

STAGE, DEFAULT = "handwritten", 2

with DAG(STAGE, schedule=None, params={"rows": 1e6}) as dag:

    @task
    def plan():
        """Decides the degree, and returns the list to map over."""
        from arbo_bo import ArboOptimizer  # in the task: the DAG's parsing stays fast

        context = get_current_context()
        ti, rows = context["ti"], context["params"]["rows"]
        degree, trial_index = DEFAULT, None
        try:
            with ArboOptimizer() as arbo:
                arbo.configure_experiment(
                    STAGE, caller=STAGE, parallelism=(1, 8), default_parallelism=DEFAULT
                )
                decision = arbo.suggest(
                    STAGE,
                    input_size=rows,
                    idempotency_key=f"{ti.id}",  # new for each try and each clear
                    run_key=f"{ti.dag_id}/{ti.run_id}/{STAGE}",  # an older trial of this run ends
                )
            print(decision.reason)
            degree, trial_index = decision.parallelism, decision.trial_index
        except Exception as err:  # advice must not stop the stage
            print(f"no advice, {degree} workers: {err}")
        ti.xcom_push(key="trial_index", value=trial_index)
        return [[chunk, degree] for chunk in range(degree)]

    @task
    def work(chunk):
        """Does one chunk, and returns what it took [s]."""
        _, chunks = chunk
        started = time.perf_counter()
        time.sleep(0.2 / chunks)
        return time.perf_counter() - started

    @teardown(on_failure_fail_dagrun=False)
    def record(chunks):
        """Completes the trial with the slowest instance's time, or fails it."""
        from arbo_bo import ArboOptimizer

        ti = get_current_context()["ti"]
        trial_index = ti.xcom_pull(task_ids="plan", key="trial_index")
        if trial_index is None:
            return
        times = [t for t in ti.xcom_pull(task_ids=["work"]) if t is not None]
        with ArboOptimizer() as arbo:
            if len(times) == len(chunks):
                arbo.complete_trial(
                    STAGE, trial_index, execution_time_s=max(times), time_measure="slowest"
                )
            else:
                arbo.mark_trial_failed(STAGE, trial_index, reason=f"{len(times)} instances ended")

    planned = plan()
    work.expand(chunk=planned) >> record(planned)
