"""What Airflow lists under its providers."""

from typing import Any

import arbo_bo


def get_provider_info() -> dict[str, Any]:
    """Returns the provider's metadata, as Airflow's entry point `apache_airflow_provider` wants."""
    return {
        "package-name": "arbo-bo",
        "name": "arbo_bo",
        "description": "Chooses how many mapped instances a stage runs with, and learns from it.",
        "versions": [arbo_bo.__version__],
    }
