"""What loads when: each import in a fresh interpreter."""

import json
import subprocess
import sys

import pytest

HEAVY = {"torch", "gpytorch", "botorch", "scipy", "pandas", "matplotlib", "airflow", "ax"}


def loaded_by(statement, **environment):
    code = f"{statement}\nimport json, sys\nprint('\\n' + json.dumps(sorted(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env=environment or None,
    )
    return {name.partition(".")[0] for name in json.loads(done.stdout.splitlines()[-1])}


def test_importing_the_package_loads_the_standard_library_alone():
    before = loaded_by("pass")
    after = loaded_by("import arbo_bo; arbo_bo.Objective(); arbo_bo.SearchSpace.between(1, 4)")
    third_party = after - before - set(sys.stdlib_module_names) - {"arbo_bo"}
    assert third_party == set()


@pytest.mark.parametrize(
    "statement",
    [
        "import arbo_bo.storage; arbo_bo.storage.SQLTrialStore('sqlite://')",
        "import arbo_bo; arbo_bo.ArboOptimizer('sqlite://').experiments()",
        "import arbo_bo.models, arbo_bo.acquisition, arbo_bo.numerics.laws, arbo_bo.execution",
        "import arbo_bo.benchmarks, arbo_bo.integrations.airflow",
        "import arbo_bo.integrations.ax, arbo_bo.context; arbo_bo.context.input_size_of(3)",
        "import arbo_bo; from arbo_bo.planning import Mean, Workflow; w = Workflow('w');"
        "w.stage('a'); arbo_bo.ArboOptimizer('sqlite://').plan(w, Mean())",
        "from arbo_bo.cli import main; main(['tasks', '--store', 'sqlite://'])",
        "from arbo_bo.cli import main; main(['--help'])",
        "from arbo_bo.cli import main; main(['doctor', '--store', 'sqlite://'])",
        "from arbo_bo.cli import main; main(['export', '--all', '--store', 'sqlite://'])",
    ],
)
def test_torch_stays_out_where_nothing_is_decided(statement):
    assert not loaded_by(statement) & HEAVY


def test_writing_outcomes_leaves_torch_out(tmp_path):
    from arbo_bo import ArboOptimizer

    url = f"sqlite:///{tmp_path / 'arbo.db'}"
    ArboOptimizer(url).suggest("t")
    modules = loaded_by(
        f"import arbo_bo; a = arbo_bo.ArboOptimizer({url!r});"
        "a.complete_trial('t', 0, execution_time_s=1.0); a.suggest('t')"
    )
    assert not modules & HEAVY
