# SPDX-License-Identifier: Apache-2.0
"""The root of the command line: global options, errors, exit codes."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from hostler import __version__
from hostler.cli.alerts import app as alerts
from hostler.cli.doctor import doctor
from hostler.cli.events import events
from hostler.cli.gpu import app as gpu
from hostler.cli.host import app as host
from hostler.cli.hyperstack import app as hyperstack
from hostler.cli.launch import app as launch
from hostler.cli.log import log
from hostler.cli.metrics import app as metrics
from hostler.cli.network import app as network
from hostler.cli.openstack import app as openstack
from hostler.cli.plan import app as plan
from hostler.cli.report import report
from hostler.cli.schema import app as schema
from hostler.cli.session import Session, session
from hostler.cli.storage import app as storage
from hostler.cli.vm import app as vm
from hostler.errors import HostlerError, InvalidInput

FAILED, BAD_INPUT = 1, 2

UsageError: type[Exception] = typer.BadParameter.__mro__[1]
"""Click's own, wherever this version of typer keeps it."""

_FLAGS = ("--json", "--quiet", "--no-color")
_VALUES = ("--uri", "--host", "--cloud", "--config")


def hoist(args: list[str]) -> list[str]:
    """Move global options to the front, so that they may stand anywhere.

    >>> hoist(["vm", "list", "--json", "--uri", "test:///default"])
    ['--json', '--uri', 'test:///default', 'vm', 'list']
    """
    front: list[str] = []
    rest: list[str] = []
    words = iter(args)
    for word in words:
        if word == "--":
            return [*front, *rest, word, *words]
        if word in _FLAGS or word.startswith(tuple(f"{option}=" for option in _VALUES)):
            front.append(word)
        elif word in _VALUES:
            front += [word, *[value for value in [next(words, None)] if value is not None]]
        else:
            rest.append(word)
    return front + rest


class Root(TyperGroup):
    """The root command: global options anywhere, every error a sentence and an exit code."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse, with the global options moved to the front."""
        return super().parse_args(ctx, hoist(args))

    def invoke(self, ctx: Any) -> Any:
        """Run a command; an error becomes its exit code."""
        try:
            return super().invoke(ctx)
        except HostlerError as error:
            code = BAD_INPUT if isinstance(error, InvalidInput) else FAILED
            data = {"code": error.code, "message": error.reason, "hint": error.hint}
            _tell(session(ctx), data, str(error))
        except UsageError as error:
            if not session(ctx).json:
                raise
            code = BAD_INPUT
            _tell(session(ctx), {"code": "usage", "message": str(error), "hint": ""}, "")
        raise typer.Exit(code)


def _tell(where: Session, data: dict[str, str], sentence: str) -> None:
    if where.json:
        where.emit({"error": data})
    else:
        where.complain(f"Error: {sentence}")


app = typer.Typer(
    name="hostler",
    cls=Root,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="These options may stand anywhere. Exit codes: 0 done, 1 failed, 2 bad input, "
    "3 changes to make (--check --detailed-exitcode).",
)
app.add_typer(vm, name="vm")
app.add_typer(host, name="host")
app.add_typer(storage, name="storage")
app.add_typer(network, name="network")
app.add_typer(gpu, name="gpu")
app.add_typer(hyperstack, name="hyperstack")
app.add_typer(launch, name="launch")
app.add_typer(metrics, name="metrics")
app.add_typer(openstack, name="openstack")
app.add_typer(plan, name="plan")
app.command("log")(log)
app.command("events")(events)
app.add_typer(alerts, name="alerts")
app.command("report")(report)
app.command("doctor")(doctor)
app.add_typer(schema, name="schema")


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"hostler {__version__}")
        raise typer.Exit


@app.callback()
def root(
    ctx: typer.Context,
    uri: Annotated[
        str | None, typer.Option(help="libvirt URI, such as qemu+ssh://root@host/system.")
    ] = None,
    host: Annotated[
        str | None, typer.Option("--host", help="A host of the pool, in place of its URI.")
    ] = None,
    cloud: Annotated[str | None, typer.Option(help="OpenStack: a cloud of clouds.yaml.")] = None,
    config: Annotated[
        str | None, typer.Option(help="Path of a fleet.yml.", envvar="HOSTLER_CONFIG")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print errors only.")] = False,
    no_color: Annotated[bool, typer.Option("--no-color", help="Print without colours.")] = False,
    _: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    """Run VMs as code: every change is a plan you can preview, apply and undo."""
    ctx.obj = Session(uri, host, cloud, config, json, quiet, no_color)
