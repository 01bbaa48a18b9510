"""Every error that arbo_bo raises on purpose.

Each class extends `ArboError` and a builtin, so that ``except ArboError`` catches the family and
``except ValueError`` still means what it always did.
"""


class ArboError(Exception):
    """Base of every error that arbo_bo raises on purpose."""


class InvalidValueError(ArboError, ValueError):
    """A value is outside its domain: a negative time, an empty name, a NaN."""


class ShapeError(ArboError, ValueError):
    """A tensor or array has the wrong shape."""


class DegreeNotAllowedError(InvalidValueError):
    """A degree of parallelism is outside the experiment's search space."""


class UnknownWorkerTypeError(InvalidValueError):
    """A task has no worker type of that name."""


class UnknownAcquisitionError(InvalidValueError):
    """No acquisition function has that name."""


class UnknownPlannerError(InvalidValueError):
    """No planner has that name."""


class WorkflowError(InvalidValueError):
    """A workflow, or a file that describes one, is not sound; the message names the stage."""


class UnsupportedModelError(ArboError, TypeError):
    """A model's posterior is not of the kind that an acquisition function is defined for."""


class AcquisitionError(ArboError, RuntimeError):
    """Another package's acquisition function failed where a decision needed it."""


class MissingExtraError(ArboError, ImportError):
    """A part of arbo_bo needs packages that are not installed."""


class NotEnoughObservationsError(ArboError, RuntimeError):
    """A prediction was asked for before any run was completed."""


class ExperimentNotFoundError(ArboError, LookupError):
    """The namespace holds no experiment of that name."""


class TrialNotFoundError(ArboError, LookupError):
    """The experiment holds no trial of that index."""


class TrialGoneError(TrialNotFoundError):
    """The store holds no trial of that identity any more, though another may have its number."""


class TrialClosedError(ArboError, RuntimeError):
    """The trial is completed, failed or abandoned, and the change would contradict that."""


class InputSizeError(ArboError, RuntimeError):
    """The size of a run's input cannot be had from where it lies."""


class ClusterLoadError(ArboError, RuntimeError):
    """A source of the cluster load is not there, or does not answer with one number."""


class StoreError(ArboError, RuntimeError):
    """The trial store could not do what was asked; nothing was half-written."""


class StoreURLError(StoreError, ValueError):
    """The store's URL cannot be understood."""


class StoreUnavailableError(StoreError, ConnectionError):
    """The database cannot be reached, or the connection was lost.

    Attributes:
        may_pass: Whether trying again later may help.
    """

    def __init__(self, message: str, may_pass: bool = True) -> None:
        super().__init__(message)
        self.may_pass = may_pass


class StoreLockedError(StoreUnavailableError):
    """Another process held the database's lock for too long."""


class StoreTimeoutError(StoreUnavailableError, TimeoutError):
    """The database did not answer within the time that the caller allowed."""


class UndeliveredError(StoreUnavailableError):
    """The store has not taken what came of a run; the message says how it gets there."""


class StoreReadOnlyError(StoreError, PermissionError):
    """The database may not be written to."""


class StaleDecisionError(StoreError):
    """Another process changed the experiment since the decision was taken from it."""


class SchemaVersionError(StoreError):
    """The database's schema is not the one that this version of arbo_bo works with."""


class CommandError(ArboError, ValueError):
    """A command line to run is empty, has no placeholder, or its program cannot be found."""


class MissingPlaceholderError(CommandError):
    """A command line would do the same at every degree of parallelism."""


class StageFailedError(ArboError, RuntimeError):
    """A chunk of a stage ended with a non-zero status or a signal."""


class StageTimeoutError(StageFailedError, TimeoutError):
    """A stage ran past its time limit and was ended."""
