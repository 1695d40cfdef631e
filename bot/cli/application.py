"""The list of commands. Each lives in the module of what it is about."""

from __future__ import annotations

import typer

from bot.cli import (
    actors,
    adapting,
    alarms,
    checks,
    exporting,
    forgetting,
    jobs,
    keeping,
    labeling,
    learning,
    live,
    models,
    predicting,
    processes,
    setup,
    simulating,
    sources,
    trainings,
    undoing,
)

app = typer.Typer(
    name="labelwright",
    help="Label new GitHub issues with a repository's own labels, and learn from corrections.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

COMMANDS = (
    processes.serve,
    processes.web,
    processes.worker,
    processes.clock,
    sources.import_,
    sources.pull,
    learning.train,
    trainings.trainings,
    adapting.adapt,
    predicting.predict,
    predicting.replay,
    simulating.simulate,
    learning.evaluate,
    labeling.annotate,
    labeling.audit,
    actors.actors,
    models.models,
    live.live,
    adapting.encoders,
    undoing.undo,
    exporting.export,
    forgetting.forget,
    jobs.jobs,
    keeping.backup,
    keeping.restore,
    keeping.prune,
    setup.setup,
    alarms.alarms,
    checks.doctor,
)
"""Every command, in the order of the help: this list is the feature list."""


for command in COMMANDS:
    app.command(command.__name__.rstrip("_"))(command)
