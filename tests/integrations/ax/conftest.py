"""Ax warns where arbo can do nothing about it."""

import warnings

import pytest

with warnings.catch_warnings():
    # ax.service.utils.orchestrator_options, which Ax's own modules import, says that it has moved.
    warnings.simplefilter("ignore", DeprecationWarning)
    import ax.api.client  # noqa: F401

AX_WARNINGS = (
    # Ax reads and writes its data frames in ways that pandas is about to change.
    "ignore::FutureWarning:ax.*",
    "ignore::DeprecationWarning:ax.*",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "integrations/ax" in str(item.path):
            for warning in AX_WARNINGS:
                item.add_marker(pytest.mark.filterwarnings(warning))
