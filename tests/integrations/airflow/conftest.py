"""Airflow in this process: an empty home of its own, before anything imports it."""

import atexit
import os
import shutil
import tempfile

_HOME = tempfile.mkdtemp(prefix="arbo-airflow-")
atexit.register(shutil.rmtree, _HOME, ignore_errors=True)
os.environ["AIRFLOW_HOME"] = _HOME
os.environ["AIRFLOW__CORE__LOAD_EXAMPLES"] = "False"
