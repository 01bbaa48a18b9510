"""Commands that are imported when they are invoked."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any, NamedTuple

import click
from click.shell_completion import CompletionItem


class Entry(NamedTuple):
    """Where a command is, and the line that stands for it in the group's help.

    Attributes:
        place: ``module:name``.
        summary: The first sentence of the command's own help.
    """

    place: str
    summary: str


class LazyGroup(click.Group):
    """A group that shows its help, and completes names, without importing its commands.

    Args:
        entries: The commands by name, in the order in which help lists them.
        given: As in `click.Group`.
    """

    def __init__(self, *, entries: Mapping[str, Entry], **given: Any) -> None:
        super().__init__(**given)
        self.entries = entries

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The commands' names, in the order in which help lists them."""
        return list(self.entries)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Imports a command."""
        if cmd_name not in self.entries:
            return None
        module, _, name = self.entries[cmd_name].place.partition(":")
        command = getattr(import_module(module), name)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Writes each command's name and summary."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.summary) for name, entry in self.entries.items()])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Completes a command's name, or an option of the group."""
        names = [
            CompletionItem(name, help=entry.summary)
            for name, entry in self.entries.items()
            if name.startswith(incomplete)
        ]
        return names + click.Command.shell_complete(self, ctx, incomplete)
