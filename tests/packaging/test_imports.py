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


SLIM = HEAVY | {"sqlalchemy", "alembic", "rich", "jinja2", "yaml", "fsspec"}
"""What nothing needs that decides, completes or lists with a store of the current schema."""
MAIN = "from arbo_bo.cli import main; assert main({!r}) == 0"


@pytest.mark.parametrize(
    ("what", "also"),
    [
        ("a.suggest('t')", set()),
        ("a.suggest('t', idempotency_key='again'); a.suggest('t', idempotency_key='again')", set()),
        ("a.suggest_many(['t', 'u'])", set()),
        ("a.complete_trial('t', a.suggest('t'), execution_time_s=9.0)", set()),
        ("a.predict('t')", set()),
        ("a.decision('t', a.suggest('t'))", set()),
        (["suggest", "t"], set()),
        (["decide", "--all"], set()),
        (["show", "t"], set()),
        (["run", "t", "--", "true", "{parallelism}"], set()),
        # What decides nothing does without arrays, too.
        (["complete", "t", "4", "--time", "30"], {"numpy"}),
        (["fail", "t", "4"], {"numpy"}),
        (["tasks"], {"numpy"}),
        (["--help"], {"numpy", "psycopg2"}),
    ],
)
def test_work_on_a_store_of_the_current_schema_loads_what_it_needs(store_url, journal, what, also):
    from arbo_bo import ArboOptimizer

    with ArboOptimizer(store_url) as arbo:
        for task in ("t", "u"):
            rows = [{"parallelism": s, "execution_time_s": 9.0 + 90 / s} for s in (1, 2, 4, 8)]
            arbo.attach_trials(task, rows)
            arbo.suggest(task)
    if isinstance(what, str):
        statement = f"import arbo_bo; a = arbo_bo.ArboOptimizer({store_url!r}); {what}"
    else:
        options = [] if what == ["--help"] else ["--store", store_url]
        statement = MAIN.format([what[0], *options, *what[1:]])
    assert not loaded_by(statement) & (SLIM | also)
