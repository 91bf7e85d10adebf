# SPDX-License-Identifier: Apache-2.0
"""hostler alerts: what is wrong now, by the rules of fleet.yml."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from hostler.cli.session import Session, session

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.table import Table

    from hostler.models.alert import Alert, AlertPage, Severity, Unknown
    from hostler.models.alert_config import AlertRule

app = typer.Typer(invoke_without_command=True)

PLUGIN = {None: 0, "info": 0, "warning": 1, "critical": 2}
UNKNOWN = 3
"""Exit codes of monitoring plugins: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN.

Source: https://www.monitoring-plugins.org/doc/guidelines.html
"""
_WORDS = {0: "OK", 1: "WARNING", 2: "CRITICAL", 3: "UNKNOWN"}

STYLES = {"critical": "red", "warning": "yellow", "info": "cyan"}

Severities = Annotated[
    list[str] | None, typer.Option("--severity", help="Only these: critical, warning, info.")
]
Rules = Annotated[list[str] | None, typer.Option("--rule", help="Only these: names or globs.")]
Resources = Annotated[
    list[str] | None,
    typer.Option("--resource", help="Only about these, or on these hosts: names or globs."),
]
Plugin = Annotated[
    bool,
    typer.Option(
        "--plugin", help="Answer as a monitoring plugin: a line, and exit code 0, 1, 2 or 3."
    ),
]
Seconds = Annotated[float, typer.Option("--timeout", help="Seconds that each host gets.")]


@app.callback()
def alerts(
    ctx: typer.Context,
    severity: Severities = None,
    rule: Rules = None,
    resource: Resources = None,
    plugin: Plugin = False,
    timeout: Seconds = 30,
) -> None:
    """Show what is wrong now, and what can't be said. The rules are in fleet.yml."""
    if ctx.invoked_subcommand:
        return
    from hostler.errors import HostlerError

    here = session(ctx)
    try:
        with here.fleet() as fleet:
            page = fleet.alerts.read(
                severities=_severities(severity),
                rules=rule or (),
                resources=resource or (),
                timeout=timeout,
            )
    except HostlerError as error:
        if not plugin:
            raise
        typer.echo(f"HOSTLER UNKNOWN - {error.reason}")
        raise typer.Exit(UNKNOWN) from None
    if plugin:
        raise typer.Exit(_plugin(page))
    if here.json:
        here.emit(page.model_dump(mode="json"))
    else:
        _show(here, page)


@app.command()
def rules(
    ctx: typer.Context,
    prometheus: Annotated[
        bool, typer.Option("--prometheus", help="Print a rule file for Prometheus.")
    ] = False,
) -> None:
    """List the rules, or write them for Prometheus, which scrapes 'hostler metrics export'."""
    here = session(ctx)
    with here.fleet() as fleet:
        found = fleet.alerts.rules()
        window = fleet.config.metrics.prometheus.rate_window
    if prometheus:
        from hostler.alerts.prometheus import rule_file

        typer.echo(rule_file(found, window=window), nl=False)
    elif here.json:
        here.emit([rule.model_dump(mode="json") for rule in found])
    else:
        _show_rules(here, found)


def _severities(given: list[str] | None) -> list[Severity]:
    from hostler.errors import InvalidInput
    from hostler.models.alert import SEVERITIES

    for one in given or ():
        if one not in SEVERITIES:
            raise InvalidInput(f"there is no severity {one!r}; one of {', '.join(SEVERITIES)}")
    return [one for one in SEVERITIES if one in (given or ())]


def _plugin(page: AlertPage) -> int:
    """Answer as a monitoring plugin; what can't be said is UNKNOWN, unless something is wrong."""
    from hostler.models.alert import worst

    code = PLUGIN[worst(page.alerts)] or (UNKNOWN if page.unknown else 0)
    counts = ", ".join(f"{number} {name}" for name, number in page.counts.items())
    lines = [
        f"HOSTLER {_WORDS[code]} - {counts}",
        *(f"{alert.severity}: {alert.message}" for alert in page.alerts),
        *(f"unknown: {_unknown(one)}" for one in page.unknown),
    ]
    for line in lines:
        typer.echo(line.replace("|", "/"))  # what follows a bar would be performance data
    return code


def _show(here: Session, page: AlertPage) -> None:
    if not page.alerts:
        here.say("No alerts.", "green")
    else:
        here.show(_table(page.alerts))
    for alert in page.pending:
        here.say(f"Not yet for long enough: {alert.message}", "dim")
    here.warn(f"Not known: {_unknown(one)}." for one in page.unknown)


def _unknown(one: Unknown) -> str:
    from hostler.models.names import some

    on = f" on {one.host}" if one.host else ""
    names = "all" if one.resources == ["*"] else some(one.resources)
    return f"{one.rule} of {names}{on}: {one.reason}"


def _table(alerts: Sequence[Alert]) -> Table:
    from rich.text import Text

    from hostler.cli import render

    rows = [
        (
            Text(alert.severity, style=STYLES[alert.severity]),
            alert.rule,
            render.when(alert.since)[5:],
            alert.message,
        )
        for alert in alerts
    ]
    return render.table("severity", "rule", "since", "what", rows=rows, wide="what")


def _show_rules(here: Session, found: Sequence[AlertRule]) -> None:
    from hostler.cli import render
    from hostler.models.alert_config import format_duration

    rows = [
        (
            rule.name,
            rule.severity,
            rule.resource,
            f"{rule.metric} {rule.operator} {rule.threshold:g}",
            format_duration(rule.duration) if rule.duration else "",
        )
        for rule in found
    ]
    columns = ("rule", "severity", "of", "holds when", "for")
    here.show(render.table(*columns, rows=rows, wide="holds when"))
