"""The commands by name."""

import click

from arbo_bo import __version__
from arbo_bo.cli.lazy import Entry, LazyGroup

CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}

COMMANDS = {
    "run": Entry(
        "arbo_bo.cli.run:run",
        "Run COMMAND once, at the degree that arbo advises, and learn from it.",
    ),
    "tune": Entry(
        "arbo_bo.cli.tuning:tune",
        "Run COMMAND at several degrees of parallelism, learn its law, settle on the right degree.",
    ),
    "configure": Entry(
        "arbo_bo.cli.experiments:configure",
        "Create a task, or change its configuration and keep its trials.",
    ),
    "suggest": Entry(
        "arbo_bo.cli.suggest:suggest",
        "Decide the degree of the next run; its trial is RUNNING from here.",
    ),
    "decide": Entry(
        "arbo_bo.cli.decide:decide",
        "Decide the next runs of several tasks at once; their trials are RUNNING from here.",
    ),
    "complete": Entry(
        "arbo_bo.cli.trials:complete",
        "Record what a run took; without an INDEX there was no trial, and nothing is recorded.",
    ),
    "fail": Entry(
        "arbo_bo.cli.trials:fail", "Record that a run failed: a degree that fails is left alone."
    ),
    "abandon": Entry(
        "arbo_bo.cli.trials:abandon", "Record that a run's outcome will never be known."
    ),
    "deliver": Entry(
        "arbo_bo.cli.trials:deliver",
        "Tell the store what runs of this machine could not tell it when they ended.",
    ),
    "attach": Entry(
        "arbo_bo.cli.attach:attach",
        "Add completed runs from elsewhere, one or a CSV of them.",
    ),
    "exclude": Entry(
        "arbo_bo.cli.trials:exclude",
        "Let a trial train no more, such as a wrong measurement; --undo takes that back.",
    ),
    "plan": Entry(
        "arbo_bo.cli.plan:app",
        "Plan a whole workflow: every stage's degree and worker type for one goal.",
    ),
    "rename": Entry(
        "arbo_bo.cli.experiments:rename", "Give a task another name; its trials go with it."
    ),
    "delete": Entry(
        "arbo_bo.cli.experiments:delete", "Delete a task with all its trials, for good."
    ),
    "predict": Entry(
        "arbo_bo.cli.experiments:predict", "Predict the next run's time at each degree."
    ),
    "tasks": Entry(
        "arbo_bo.cli.experiments:tasks", "List the tasks, with the law that each has learned."
    ),
    "show": Entry(
        "arbo_bo.cli.show:show",
        "Show a task and what would be chosen now, or with INDEX why a past run had its degree.",
    ),
    "report": Entry(
        "arbo_bo.cli.report:report",
        "Write tasks, their newest runs and what was saved as one HTML file.",
    ),
    "savings": Entry(
        "arbo_bo.cli.savings:savings",
        "Show what arbo's degrees saved against the default degree, with a 90 % band.",
    ),
    "export": Entry(
        "arbo_bo.cli.maintenance:export",
        "Write tasks as JSON lines or CSV: trials, configuration and what was learned.",
    ),
    "import": Entry(
        "arbo_bo.cli.maintenance:import_", "Take in what `arbo export` wrote, all or nothing."
    ),
    "doctor": Entry(
        "arbo_bo.cli.maintenance:doctor",
        "Say what is wrong with the store and what to do; status 1 if anything will fail.",
    ),
    "db": Entry("arbo_bo.cli.database:app", "The database's schema and size."),
    "bench": Entry(
        "arbo_bo.cli.bench:app",
        "Benchmarks: does arbo choose better than what people would use instead?",
    ),
}

app = LazyGroup(
    entries=COMMANDS,
    name="arbo",
    help="Chooses the degree of parallelism for each run of a recurring job.",
    no_args_is_help=True,
    context_settings=CONTEXT,
)
click.version_option(__version__, prog_name="arbo_bo", message="%(prog)s %(version)s")(app)
