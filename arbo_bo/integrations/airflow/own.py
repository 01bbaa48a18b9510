"""What arbo's own tasks set for themselves, whatever a DAG's default_args or a policy says."""

from collections.abc import Mapping
from datetime import timedelta
from inspect import signature
from typing import Any, ClassVar

from airflow.sdk import BaseOperator, TriggerRule

# Advice must not break a run, so a lost worker is made up for; and both tasks take seconds.
_BOTH: dict[str, Any] = {
    "pool_slots": 1,
    "execution_timeout": timedelta(minutes=10),
    "retry_exponential_backoff": 0,
    "max_retry_delay": None,
    # What the author's own tasks do around their work, and announce after it, is not arbo's to do.
    "pre_execute": None,
    "post_execute": None,
    "inlets": None,
    "outlets": None,
    "map_index_template": None,
    "max_active_tis_per_dag": None,
    "max_active_tis_per_dagrun": None,
}
if "retry_policy" in signature(BaseOperator.__init__).parameters:  # from Airflow 3.3 on
    _BOTH["retry_policy"] = None
PLAN_ARGS: Mapping[str, Any] = {
    **_BOTH,
    "retries": 2,
    "retry_delay": timedelta(seconds=10),
}
"""Arguments of a plan task that stand before the DAG's default_args, and after plan_args."""
RECORD_ARGS: Mapping[str, Any] = {
    **_BOTH,
    "retries": 5,
    "retry_delay": timedelta(seconds=30),
    # A stage that has ended is load until it is recorded: it waits behind no other work.
    "pool": "default_pool",
    "weight_rule": "absolute",
    "priority_weight": 1000,
    "depends_on_past": False,
}
"""The same of a record task."""


class OwnTask(BaseOperator):
    """A task of arbo's: some attributes keep their values, whoever sets them.

    Without its XCom a plan gives the stage nothing to map over, so ``do_xcom_push=False`` in
    default_args, or in a cluster policy, would break the run. And downstream of a plan is the
    record task, so that with ``wait_for_downstream`` the next run would wait for arbo's database.
    """

    fixed: ClassVar[Mapping[str, Any]] = {
        "do_xcom_push": True,
        "multiple_outputs": False,
        "wait_for_downstream": False,
    }

    def __setattr__(self, key: str, value: Any) -> None:
        super().__setattr__(key, self.fixed.get(key, value))


class OwnTeardown(OwnTask):
    """One that runs whatever became of the work before it, and of earlier runs."""

    fixed: ClassVar[Mapping[str, Any]] = {
        **OwnTask.fixed,
        "trigger_rule": TriggerRule.ALL_DONE_SETUP_SUCCESS,
        "depends_on_past": False,
    }
