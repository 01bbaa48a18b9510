"""The real KubernetesPodOperator, mapped over the plan's arguments."""

import pytest
from kubernetes_api import kubernetes_api


@pytest.fixture
def kubernetes(airflow):
    with kubernetes_api(airflow.home / "kubeconfig") as api:
        yield api


def test_pods_get_the_decisions_arguments_when_the_operator_is_mapped(
    airflow, kubernetes, trial_of
):
    run = airflow.trigger("pods", vcf_bytes=2e9).wait()
    trial = trial_of(run, "frequency_ALL", namespace="pods")
    given = [pod["spec"]["containers"][0]["args"] for pod in kubernetes.created]
    assert run.state == "success"
    assert trial.parallelism == 3
    assert (
        sorted(given)
        == run.xcom("plan_frequency_ALL")
        == [["--chunk_id", str(chunk), "--chunks", "3", "--POP", "ALL"] for chunk in range(3)]
    )
    assert (trial.status, trial.time_measure, trial.input_size) == ("COMPLETED", "makespan", 2e9)
