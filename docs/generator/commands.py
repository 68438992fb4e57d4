"""Generates the pages of the command line: every command with its options, and the exit codes."""

from __future__ import annotations

import re
import signal
from collections.abc import Iterator
from typing import Any

from typer.core import TyperArgument, TyperGroup, TyperOption
from typer.main import get_command

from docs.generator.fields import inline
from docs.generator.markdown import block, code, page, table
from jwo import errors
from jwo.cli import app
from load.verdict import EXIT_CODES

Command = Any
"""A command of typer, which has a copy of click of its own and exports no type for it."""
Parameter = Any
"""An argument or an option of such a command."""
_INTRODUCTION = (
    "Each command, with its arguments and options, as `jwo COMMAND --help` prints them. "
    "[Exit codes](exit_codes.md) lists the codes, [Settings](settings.md) the environment variables."
)
_ENDS = "Every command ends with one of these codes. No error exits with 1, because 1 means findings."


def commands() -> Iterator[tuple[str, Command]]:
    """List every command with its full name, such as `jwo catalog upload`; a group itself is left out."""
    yield from _commands("jwo", get_command(app))


def commands_page() -> str:
    """Return the page of all commands."""
    return page("Commands", _INTRODUCTION, *(_section(name, command) for name, command in commands()))


def exit_codes_page() -> str:
    """Return the page of exit codes, with what each command says about its own."""
    general = {int(number): words for number, words in re.findall(r"(\d) ([a-z ]+)", app.info.help or "")}
    signals = {128 + each: f"stopped by {each.name}" for each in (signal.SIGINT, signal.SIGTERM)}
    own = [(code(name), sentences) for name, command in commands() if (sentences := _exit_sentences(command))]
    fixable = errors._users_errors()  # noqa: SLF001 - the page lists what the command line treats so
    load = ", ".join(f"{number} {verdict}" for verdict, number in EXIT_CODES.items())
    return page(
        "Exit codes",
        _ENDS,
        table(["exit", "means"], [(str(number), words) for number, words in (general | signals).items()]),
        "## What a command says about its own codes",
        table(["command", "codes"], own),
        f"The verdicts of a load test: {load}. The [method of the load "
        "test](../method_of_the_load_test.md) says when each applies.",
        "## Errors",
        "A sentence on standard error says what happened and what to do. These errors exit with 2, "
        "because the user can fix them:",
        table(["error", "means"], [(code(kind.__name__), inline(kind.__doc__ or "")) for kind in fixable]),
        "Any other error is a bug in the kit, and exits with 3.",
    )


def _commands(name: str, command: Command) -> Iterator[tuple[str, Command]]:
    if not isinstance(command, TyperGroup):
        yield name, command
        return
    for inner, each in sorted(command.commands.items()):
        yield from _commands(f"{name} {inner}", each)


def _section(name: str, command: Command) -> str:
    arguments = [each for each in command.params if isinstance(each, TyperArgument)]
    options = [each for each in command.params if not isinstance(each, TyperArgument)]
    usage = " ".join([name, *(_shown(each) for each in arguments), *(["[OPTIONS]"] if options else [])])
    parts = [f"## {name}", block("text", usage), (command.help or "").replace("\b", "")]
    if arguments:
        rows = [(code(each.metavar or each.name or ""), _help(each), _default(each)) for each in arguments]
        parts.append(table(["argument", "means", "default"], rows))
    if options:
        rows = [(_option(each), _help(each), _default(each)) for each in options]
        parts.append(table(["option", "means", "default"], rows))
    return "\n\n".join(parts)


def _shown(argument: TyperArgument) -> str:
    name = argument.metavar or (argument.name or "").upper()
    name += "…" if argument.nargs < 0 else ""
    return name if argument.required else f"[{name}]"


def _option(option: Parameter) -> str:
    names = ", ".join([*option.opts, *option.secondary_opts])
    is_flag = isinstance(option, TyperOption) and option.is_flag
    return code(names if is_flag else f"{names} {option.metavar or 'N'}")


def _help(parameter: Parameter) -> str:
    return inline(getattr(parameter, "help", None) or "")


def _default(parameter: Parameter) -> str:
    if parameter.required:
        return "required"
    shown = getattr(parameter, "show_default", None)
    if isinstance(shown, str):
        return shown
    if isinstance(parameter, TyperOption) and parameter.is_flag and parameter.secondary_opts:
        return code(parameter.opts[0] if parameter.default else parameter.secondary_opts[0])
    return "" if parameter.default in {None, ""} else code(str(parameter.default))


def _exit_sentences(command: Command) -> str:
    sentences = re.split(r"(?<=\.)\s+", inline(command.help or ""))
    return " ".join(sentence for sentence in sentences if re.search(r"\bExit\b", sentence))
