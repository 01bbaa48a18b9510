"""Outcomes that a store could not take, told to it later."""

import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from arbo_bo.errors import (
    ArboError,
    ExperimentNotFoundError,
    InvalidValueError,
    StoreError,
    TrialClosedError,
    TrialNotFoundError,
)
from arbo_bo.experiment import Arm, Context, Experiment, Phase, SearchSpace, Trial, TrialStatus
from arbo_bo.experiment.drafts import UNNUMBERED
from arbo_bo.experiment.validation import short
from arbo_bo.service import journal
from arbo_bo.service.journal_entry import Ending, Entry

if TYPE_CHECKING:
    from arbo_bo.storage import TrialStore

logger = logging.getLogger("arbo_bo")

IN_MEMORY = "sqlite://"
REFUSALS = (TrialClosedError, TrialNotFoundError, ExperimentNotFoundError, InvalidValueError)
"""What a store says of an outcome that it will never take."""


def deliver(store: "TrialStore") -> list[Trial]:
    """Tells the store what runs of this machine could not tell it; returns their trials.

    Runs whose process has died become ABANDONED. What the store refuses, because the trial has
    another outcome or is gone, is put aside, and the log says where.

    Raises:
        StoreError: The store is down; what is left stays.
    """
    delivered: list[Trial] = []
    url = None if journal.is_empty() else identity(store)
    if url is None:
        return delivered
    for found in journal.found_runs(url, store.namespace):
        if not (found.is_waiting or found.is_dead):
            continue
        entry = found.entry
        try:
            trial = _abandoned(store, entry) if found.is_dead else told(store, entry)
        except REFUSALS as err:
            if not entry.is_worth_telling:
                found.remove()
                continue
            found.refuse()
            logger.warning(
                "%s, kept in %s: the store refuses it: %s", entry.subject, found.path, err
            )
            continue
        found.remove()
        if trial is not None:
            logger.info("%s is %s", trial, trial.status)
            delivered.append(trial)
    return delivered


def delivered_quietly(store: "TrialStore") -> None:
    """Delivers what can be; a store that is down is for the caller's own request to find."""
    try:
        deliver(store)
    except StoreError as err:
        logger.debug("runs of this machine still wait for the store: %s", err)
    except (ArboError, OSError):
        logger.exception("runs of this machine could not be delivered")


def identity(store: "TrialStore") -> str | None:
    """Names the store for a later process; None where none could open it."""
    url: str | None = getattr(store, "masked_url", None)
    return None if url is None or url == IN_MEMORY else url


def line(err: BaseException) -> str:
    """What an error says, in one line."""
    return " ".join(str(err).split()) or type(err).__name__


def told(
    store: "TrialStore", entry: Entry, close: Callable[[Trial], Trial] | None = None
) -> Trial | None:
    """Writes an outcome to the store; done again it changes nothing."""
    ending = entry.ending
    assert ending is not None
    trial = entry.trial
    if trial is None:
        if ending.status is TrialStatus.ABANDONED:
            return _abandoned(store, entry)
        trial = _made(store, entry).trial_index
    return store.change(entry.task, trial, close or ending.close)


def _made(store: "TrialStore", entry: Entry) -> Trial:
    """The trial of a run that began without one.

    One that a lost answer has left RUNNING is superseded: it has the same run key.
    """
    try:
        store.experiment(entry.task)
    except ExperimentNotFoundError:
        new = Experiment(entry.task, namespace=store.namespace)
        if entry.degrees:
            new = replace(new, search_space=SearchSpace(entry.degrees))
        store.configure(entry.task, lambda stored: stored or new)
    draft = Trial(
        task=entry.task,
        trial_index=UNNUMBERED,
        status=TrialStatus.RUNNING,
        arm=Arm(entry.parallelism or 1, entry.worker_type),
        context=Context(entry.input_size, None),
        phase=Phase.ATTACHED,
        created_at=entry.started_at,
        started_at=entry.started_at,
        idempotency_key=entry.run_id,
        run_key=entry.run_id,
    )
    return store.start(entry.task, draft)[0]


def _abandoned(store: "TrialStore", entry: Entry) -> Trial | None:
    """Abandons the trial of a run whose process has died, if it runs by what the store knows."""
    ending = entry.ending or Ending(
        TrialStatus.ABANDONED,
        datetime.now(UTC),
        reason=f"its process, {entry.pid} on {short(entry.host)}, ended without a word",
    )
    trial = entry.trial
    if trial is None:
        own = (t.trial_index for t in store.history(entry.task, 1) if t.run_key == entry.run_id)
        trial = next(own, None)
    if trial is None:
        return None
    with suppress(TrialClosedError):
        return store.change(entry.task, trial, ending.close)
    return None
