"""The pages that are printed from the code, and how: `python -m tests.architecture.generated` writes them all."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator

import click

from idp.cli import main
from idp.cli.configuration import example_file, manual_page
from idp.journeys.conditions import __name__ as conditions_name
from idp.journeys.steps import Journey, Step, always
from idp.journeys.table import JOURNEYS
from tests.architecture.source import ROOT, product

BY_HAND = "Printed by `make generated`; do not edit."


def journeys_page() -> str:
    """docs/journeys.md: each journey as a Mermaid chart, in the order of the table."""
    lines = [
        "# Journeys",
        "",
        f"Drawn from `idp/journeys/table.py`. {BY_HAND}",
        "",
        "A person stands at the first step that is due: its condition holds and its fact is missing. Nothing else",
        "decides what is shown, so there are no arrows back: Back, refresh and a second tab show the step that is due.",
    ]
    for journey in JOURNEYS.values():
        lines += ["", f"## {journey.name}", "", "```mermaid", "flowchart TD", *_chart(journey), "```"]
    return "\n".join(lines) + "\n"


def _chart(journey: Journey) -> Iterator[str]:
    before = "begin"
    yield "    begin([begin])"
    for step in journey.steps:
        yield f'    {step.name}["{_words(step)}"]'
        if step.kind == "stop":
            yield f"    {before} -. {_condition(step)} .-> {step.name}"
            continue
        yield f"    {before} -->{f'|{_condition(step)}|' if step.when is not always else ''} {step.name}"
        before = step.name
    yield f"    {before} --> then([{journey.then.replace('_', ' ')}])"
    for other in journey.leads_to:
        yield f"    {journey.steps[0].name} -. link .-> {other}-journey[[{other}]]"


def _words(step: Step) -> str:
    by = f"<br>{' or '.join(step.factors)}" if step.factors else ""
    return f"{step.name}<br><i>{step.kind}</i>{by}"


def _condition(step: Step) -> str:
    assert step.when.__module__ == conditions_name, f"{step.name}: conditions live in {conditions_name}"
    return step.when.__name__.replace("_", " ")


def commands_page() -> str:
    """docs/reference/commands.md: the help of every command."""
    lines = [
        "# Commands",
        "",
        f"The help of every command. {BY_HAND}",
        "",
        "Exit codes: 0 done, 1 failed, 2 used wrongly. Every command has `--json`. Secrets are never arguments,",
        "and one that is made is shown once. `idp` needs the settings file and the secrets folder, nothing else.",
    ]
    for path, command in _commands(main, ("idp",)):
        context = click.Context(command, info_name=" ".join(path), max_content_width=100)
        lines += ["", f"## {' '.join(path)}", "", "```", command.get_help(context).rstrip(), "```"]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _commands(command: click.Command, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    yield path, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            if below is not None and not below.hidden:
                yield from _commands(below, (*path, name))


def audit_events() -> set[str]:
    """The names of all events that the code records."""
    return {
        event
        for name, tree in product().items()
        if name.startswith("idp/")
        for call in ast.walk(tree)
        if isinstance(call, ast.Call) and _records(call.func) and call.args
        for event in _names(call.args[0])
    }


def _names(argument: ast.expr) -> set[str]:
    """What the first argument may be: a name, one of two, or a word followed by an account's status."""
    match argument:
        case ast.Constant(value=str(name)):
            return {name}
        case ast.IfExp(body=one, orelse=other):
            return _names(one) | _names(other)
        case ast.JoinedStr(values=[ast.Constant(value=str(word)), ast.FormattedValue(value=ast.Name(id="status"))]):
            return {f"{word}{status}" for status in ("active", "locked")}
        case _:
            raise AssertionError(f"an event's name cannot be read from the code: {ast.unparse(argument)}")


def _records(function: ast.expr) -> bool:
    return (
        isinstance(function, ast.Attribute)
        and function.attr == "record"
        and isinstance(function.value, ast.Name)
        and function.value.id == "audit"
    )


PAGES: dict[str, Callable[[], str]] = {
    "config.example.toml": example_file,
    "docs/config.md": manual_page,
    "docs/journeys.md": journeys_page,
    "docs/reference/commands.md": commands_page,
}

if __name__ == "__main__":
    for page, print_page in PAGES.items():
        (ROOT / page).write_text(print_page(), encoding="utf-8")
