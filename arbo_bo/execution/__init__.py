"""Runs one stage of a job on this machine and measures its wall time; standard library only."""

from arbo_bo.execution.command import StageCommand
from arbo_bo.execution.failures import ChunkFailedError, StageTimeLimitError
from arbo_bo.execution.stage import StageTiming, run_stage

__all__ = [
    "ChunkFailedError",
    "StageCommand",
    "StageTimeLimitError",
    "StageTiming",
    "run_stage",
]
