# SPDX-License-Identifier: Apache-2.0
"""Session: the global options of one run, and where its output goes."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from hostler.fleet import Fleet


@dataclass
class Session:
    """One run of the command. Results go to stdout, all else to stderr."""

    uri: str | None = None
    host: str | None = None
    cloud: str | None = None
    config: str | None = None
    json: bool = False
    quiet: bool = False
    no_color: bool = False

    def fleet(self) -> Fleet:
        """Open the fleet that the options name."""
        from hostler.fleet import Fleet

        return Fleet(self.config, uri=self.uri, host=self.host, cloud=self.cloud)

    @cached_property
    def out(self) -> Console:
        """Where results go."""
        return self._console(stderr=False)

    @cached_property
    def err(self) -> Console:
        """Where errors, warnings and progress go."""
        return self._console(stderr=True)

    def _console(self, *, stderr: bool) -> Console:
        from rich.console import Console

        return Console(stderr=stderr, no_color=self.no_color or None, highlight=False)

    def emit(self, data: Any) -> None:
        """Print JSON, whatever ``quiet`` says: somebody asked for it."""
        typer.echo(json.dumps(data, indent=2, ensure_ascii=False, default=str))

    def show(self, *what: RenderableType) -> None:
        """Print something for people; lines are left whole, whatever the terminal's width."""
        from rich.text import Text

        if not self.quiet:
            for part in what:
                self.out.print(part, soft_wrap=isinstance(part, Text), crop=False)

    def say(self, sentence: str, style: str = "") -> None:
        """Print a sentence for people, which is not markup."""
        if not self.quiet:
            self.out.print(sentence, style=style, markup=False, soft_wrap=True)

    def complain(self, sentence: str, style: str = "red") -> None:
        """Print an error or a warning."""
        self.err.print(sentence, style=style, markup=False, soft_wrap=True)

    def warn(self, sentences: Iterable[str]) -> None:
        """Print warnings, beside JSON too."""
        for sentence in sentences:
            self.complain(f"Warning: {sentence}", "yellow")

    def agreed(self, question: str, *, yes: bool, must_ask: bool = False) -> bool:
        """Ask before a change; without a terminal nobody can be asked.

        Raises:
            InvalidInput: it must be asked about and there is no terminal.
        """
        from hostler.errors import InvalidInput

        if yes:
            return True
        if not sys.stdin.isatty():
            if must_ask:
                raise InvalidInput("this needs a yes", hint="Add --yes where there is no terminal.")
            return True
        return typer.confirm(question, err=True)


def session(ctx: typer.Context) -> Session:
    """Return the session of a command's context."""
    found = ctx.find_object(Session)
    return found or Session()
