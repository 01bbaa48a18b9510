"""What a mapped instance leaves behind about itself: when it ran, and whether it was retried.

Both functions run in the instance's own process, around the user's work. They add precision and
carry no correctness: an instance that was killed leaves none, and the record task copes.
"""

import logging
import time
from collections.abc import Callable
from typing import Any

BEGIN, END = "arbo_begin", "arbo_end"
LABEL = "arbo_label"

logger = logging.getLogger(__name__)


def mark_begin(context: Any) -> None:
    """Leaves a marker before the work; an ``on_execute_callback``, whose errors Airflow logs.

    The time is that of the process's start: fork and imports are a part of the stage's time.
    """
    ti = context["ti"]
    # Airflow renders the label again after the work, and an error there would fail the instance.
    context[LABEL] = ti.rendered_map_index or f"chunk {ti.map_index + 1}"
    ti.xcom_push(key=BEGIN, value=_place(ti) | {"start": _started(context)})


def mark_end(context: Any, result: Any = None) -> None:
    """Leaves a marker after the work succeeded; a ``post_execute`` hook that never raises."""
    ended = time.time()
    ti = context["ti"]
    try:
        value = {"start": _started(context), "end": ended, "retried": was_retried(ti)}
        ti.xcom_push(key=END, value=_place(ti) | value)
    except Exception as err:  # the work is done; only the precision of its time is at stake
        logger.warning("the end of this instance could not be marked: %s", err)


def followed_by_mark_end(hook: Callable[..., None] | None) -> Callable[..., None]:
    """Returns a ``post_execute`` hook that runs the author's own first."""
    if hook is None:
        return mark_end

    def post_execute(context: Any, result: Any = None) -> None:
        hook(context, result)
        mark_end(context, result)

    return post_execute


def was_retried(ti: Any) -> bool:
    """Whether this try is not the first since the instance was last scheduled afresh.

    Clearing an instance raises ``max_tries`` to the tries used plus its retries, so the first try
    after it is no retry.
    """
    return bool(ti.try_number > ti.max_tries - ti.task.retries + 1)


def _started(context: Any) -> float:
    """When the instance began [s since the epoch]; a sensor's date is that of its last poke."""
    ti, first = context["ti"], None
    if context.get("task_reschedule_count"):
        first = ti.get_first_reschedule_date(context)
    return float((first or ti.start_date).timestamp())


def _place(ti: Any) -> dict[str, Any]:
    return {"task_id": ti.task_id, "map_index": ti.map_index}
