"""What a DAG's author asks of a stage, checked when the DAG is parsed; standard library only."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from arbo_bo.acquisition.registry import require as require_acquisition
from arbo_bo.errors import InvalidValueError, MissingPlaceholderError
from arbo_bo.experiment import validation
from arbo_bo.experiment.experiment import Experiment
from arbo_bo.experiment.keywords import KEYWORDS, as_fields
from arbo_bo.experiment.strategy import AUTO
from arbo_bo.integrations.airflow.limits import Limit

CHUNK_ID, CHUNKS, PARALLELISM = "{chunk_id}", "{chunks}", "{parallelism}"
ARGUMENTS, KWARGS, CHUNK_DICTS = "arguments", "kwargs", "chunks"
MAX_NAME_LENGTH = 200
"""Airflow allows 250 characters in a task's id, which is the stage's name and a prefix."""

_PLACEHOLDER = re.compile("|".join(map(re.escape, (CHUNK_ID, CHUNKS, PARALLELISM))))
_NAME = re.compile(r"[A-Za-z0-9_.-]+")


@dataclass(frozen=True)
class StageSpec:
    """One stage: whose history it shares, what each worker gets, and how it is configured.

    Attributes:
        name: The stage's name, unique in its DAG and fit for a task's id.
        experiment: The experiment that its runs belong to, which stages may share; None: one of its
            own, named by the DAG and the stage.
        shape: What a worker gets: "arguments", "kwargs" or "chunks".
        settings: Keyword arguments of `ArboOptimizer.configure_experiment`.
        max_parallelism: The most workers that can run side by side; None: not known.

    Raises:
        InvalidValueError: A name, a degree, or a setting's name or value is wrong.
    """

    name: str
    experiment: str | None
    shape: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    max_parallelism: int | None = None

    def __post_init__(self) -> None:
        validation.identifier("a stage's name", self.name)
        if not _NAME.fullmatch(self.name) or len(self.name) > MAX_NAME_LENGTH:
            raise InvalidValueError(
                "a stage's name becomes a part of task ids: letters, digits, '_', '-' and '.', at "
                f"most {MAX_NAME_LENGTH} of them, got {validation.short(self.name)}"
            )
        if self.experiment is not None:
            validation.identifier("an experiment's name", self.experiment)
        if self.max_parallelism is not None:
            validation.integer("max_parallelism", self.max_parallelism, 1)
        self._check_settings()

    def experiment_in(self, dag_id: str) -> str:
        """The experiment's name, in this DAG."""
        return self.experiment or experiment_name(dag_id, self.name)

    def require_name(self, dag_id: str) -> None:
        """Checks that the experiment's name is not too long.

        Raises:
            InvalidValueError: The DAG's and the stage's name are too long for one name.
        """
        try:
            validation.identifier("the experiment's name", self.experiment_in(dag_id))
        except InvalidValueError as err:
            raise InvalidValueError(f"{err}; name it with experiment=") from err

    @property
    def configured(self) -> Experiment:
        """The experiment as this stage's settings make it where nothing else was configured."""
        given = as_fields(self.settings)
        if given.get("slo") is None:
            given.pop("acquisition", None)  # the service level it needs may have been stored before
        return Experiment(self.experiment or self.name).changed(given)

    def default_within(self, limit: int | None = None) -> int:
        """The degree to take where advice is missing: the pin or default, cut to what can run.

        Args:
            limit: The most workers that can run side by side; None: not known.
        """
        experiment = self.configured
        degree = experiment.fixed_parallelism or experiment.probe_parallelism
        return degree if limit is None else max(1, min(degree, limit))

    def require_room(self, limit: Limit) -> None:
        """Checks that some allowed degree can run, and the one of a pin or a dry run.

        Raises:
            InvalidValueError: It is above the limit.
        """
        experiment = self.configured
        space, fixed = experiment.search_space, experiment.fixed_parallelism
        needed = space.smallest if fixed is None else fixed
        if limit.parallelism is None or limit.parallelism >= needed:
            return
        what = f"may run with {space}" if fixed is None else f"is to run with {fixed}"
        raise InvalidValueError(
            f"stage {self.name!r} {what} workers, and no more than {limit} can run side by side; "
            f"raise that limit to {needed} or more, or give smaller degrees: parallelism=, or pin= "
            "or default_parallelism= where that is the degree of every run"
        )

    def _check_settings(self) -> None:
        if unknown := sorted(set(self.settings) - set(KEYWORDS)):
            raise InvalidValueError(
                f"unknown settings {', '.join(unknown)}; known: {', '.join(KEYWORDS)}"
            )
        acquisition = self.settings.get("acquisition")
        if acquisition is not None and acquisition != AUTO:
            require_acquisition(acquisition)
        smallest = min(self.configured.search_space.degrees)
        if self.max_parallelism is not None and self.max_parallelism < smallest:
            raise InvalidValueError(
                f"max_parallelism must be at least the smallest allowed degree, {smallest}, "
                f"got {self.max_parallelism}"
            )


def experiment_name(dag_id: str, stage: str) -> str:
    """Returns the name of a stage's own experiment: ``dag_id.stage``.

    Both may hold dots; where the stage's name does, a colon keeps different pairs apart.
    """
    return f"{dag_id}{':' if '.' in stage else '.'}{stage}"


def worker_template(
    arguments: Sequence[str] | str | None, kwargs: Mapping[str, Any] | None
) -> tuple[str, Any]:
    """Returns the shape of what a worker gets, and its template.

    Args:
        arguments: A list of words, or one string such as a shell command.
        kwargs: Keyword arguments of an operator, for ``expand_kwargs``.

    Raises:
        InvalidValueError: Both are given, or one of another type.
        MissingPlaceholderError: Every worker would be given the same.
    """
    if arguments is not None and kwargs is not None:
        raise InvalidValueError("give either arguments or kwargs of each worker, got both")
    if kwargs is not None:
        if not isinstance(kwargs, Mapping):
            raise InvalidValueError(
                f"kwargs are a mapping of an operator's arguments, got {validation.short(kwargs)}"
            )
        return _checked(KWARGS, dict(kwargs))
    if arguments is None:
        return CHUNK_DICTS, None
    if isinstance(arguments, str):
        return _checked(ARGUMENTS, arguments)
    words = list(arguments) if isinstance(arguments, Sequence) else None
    if not words or not all(isinstance(word, str) for word in words):
        raise InvalidValueError(
            "arguments are a list of strings, or one string such as a shell command, "
            f"got {validation.short(arguments)}"
        )
    return _checked(ARGUMENTS, words)


def _checked(shape: str, template: Any) -> tuple[str, Any]:
    if CHUNK_ID not in repr(template):
        raise MissingPlaceholderError(
            f"the {shape} of a worker hold no {CHUNK_ID}, so every worker would do the same; "
            f"write for instance: '--chunk_id', '{CHUNK_ID}', '--chunks', '{CHUNKS}'"
        )
    return shape, template


def workers(template: Any, parallelism: int, stage: str | None = None) -> list[Any]:
    """Returns what each worker gets, in the order of the chunks.

    In every string of the template ``{chunk_id}`` (from 0), ``{chunks}`` and ``{parallelism}`` are
    replaced; every other brace stays as it is.

    Args:
        template: As `worker_template` returns it; None: ``{"chunk_id": 2, "chunks": 8}`` each.
        parallelism: The degree, at least 1.
        stage: Goes into such a dict as ``"stage"``; None: is left out.
    """
    if template is None:
        named = {} if stage is None else {"stage": stage}
        return [named | {"chunk_id": i, "chunks": parallelism} for i in range(parallelism)]
    if isinstance(template, list | tuple):  # words, which native rendering makes numbers of
        template = [str(word) for word in template]
    return [_filled(template, i, parallelism) for i in range(parallelism)]


def _filled(template: Any, chunk_id: int, chunks: int) -> Any:
    if isinstance(template, str):
        values = {CHUNK_ID: str(chunk_id), CHUNKS: str(chunks), PARALLELISM: str(chunks)}
        return _PLACEHOLDER.sub(lambda match: values[match.group()], template)
    if isinstance(template, Mapping):
        return {key: _filled(value, chunk_id, chunks) for key, value in template.items()}
    if isinstance(template, list | tuple):
        return [_filled(value, chunk_id, chunks) for value in template]
    return template


def parsed_size(value: Any) -> float | str:
    """Returns an input size as it came out of a template, a callable or another task.

    Returns:
        A number, or the path or URL of what has a size: a text with a ``/`` in it.

    Raises:
        InvalidValueError: It is nothing, a word, or not above 0.
    """
    if isinstance(value, str):
        text = value.strip()
        if "/" in text:
            return text
        try:
            value = float(text)
        except ValueError as err:
            came = "nothing" if text in ("", "None") else validation.short(text)
            raise InvalidValueError(
                "input_size must come out as a number above 0, or as a path or URL with a '/' in "
                f"it, got {came}; leave input_size out of the stage if the size is not known"
            ) from err
    return validation.positive("input_size", value)
