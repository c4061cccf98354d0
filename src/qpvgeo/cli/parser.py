"""Commands, options and their errors in the language of the run: the help is phrases, not fixed text."""

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from click.exceptions import BadOptionUsage, MissingParameter, NoSuchOption

from qpvgeo import settings
from qpvgeo.cli import waiting
from qpvgeo.cli.streams import quiet_pipe, visible
from qpvgeo.language import LANGUAGES, Note, pointed, say

__all__ = ["Choice", "Command", "Group", "argument", "command", "file_option", "language_of", "list_option", "option"]


def _said(text: str | None) -> str:
    """A phrase by its key, or a text that is none."""
    return say(text, {}, settings.current_language()) if text else ""


class Choice(click.ParamType[str]):
    """One of a few words."""

    name = "choice"

    def __init__(self, *words: str) -> None:
        self.words = words

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:  # noqa: ARG002 - click gives them
        """Words to choose from."""
        return "|".join(self.words)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:  # noqa: ANN401
        """Keep a word that is one of them."""
        if str(value) not in self.words:
            self.fail(Note("cli.not_a_choice", given=str(value), choices=", ".join(self.words)), param, ctx)
        return str(value)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[Any]:  # noqa: ARG002
        """Words that begin so."""
        from click.shell_completion import CompletionItem

        return [CompletionItem(word) for word in self.words if word.startswith(incomplete)]


class _Number(click.ParamType[float]):
    """A number, with a decimal point or comma."""

    name = "number"

    def __init__(self, kind: type[int] | type[float]) -> None:
        self.kind = kind

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:  # noqa: ANN401
        """Read the number."""
        try:
            return self.kind(pointed(value) if isinstance(value, str) else value)
        except ValueError:
            key = "cli.not_a_whole_number" if self.kind is int else "cli.not_a_number"
            self.fail(Note(key, given=str(value)), param, ctx)


_TYPES: dict[Any, click.ParamType[Any]] = {
    int: _Number(int),
    float: _Number(float),
    str: click.STRING,
    Path: click.Path(path_type=Path, readable=False),  # what reads it says why it cannot
}


def option(*names: str, kind: Any = str, **more: Any) -> Callable[[Any], Any]:  # noqa: ANN401 - what click takes
    """Option whose help is a phrase; `kind` is `str`, `int`, `float`, `Path`, or a `Choice`."""
    if more.get("is_flag"):
        return click.option(*names, **more)
    return click.option(*names, type=_TYPES.get(kind, kind), **more)


def list_option(*names: str, default: str | None = None, **more: Any) -> Callable[[Any], Any]:  # noqa: ANN401
    """Option of values with commas between them, which may be given several times: the command gets one text."""

    def joined(_context: click.Context, _option: click.Parameter, values: tuple[str, ...]) -> str | None:
        return ",".join(values) if values else default

    return option(*names, multiple=True, default=[default] if default else None, callback=joined, **more)


def file_option(*names: str, **more: Any) -> Callable[[Any], Any]:  # noqa: ANN401
    """Option that names a file."""
    return option(*names, **{"kind": Path, "metavar": "FILE"} | more)


def argument(name: str, *, help: str, kind: Any = str, **more: Any) -> Callable[[Any], Any]:  # noqa: A002, ANN401
    """Argument with a help of its own, which is a phrase."""
    return click.argument(name, cls=_Argument, type=_TYPES.get(kind, kind), about=help, **more)


class _Argument(click.Argument):
    """Argument that says what it is."""

    def __init__(self, *arguments: Any, about: str, **more: Any) -> None:  # noqa: ANN401
        super().__init__(*arguments, **more)
        self.about = about


class Command(click.Command):
    """Command with its help in the language of the run."""

    def format_usage(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Line of usage."""
        _usage(self, ctx, formatter)

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """What the command answers."""
        _about(self, formatter)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Arguments, then options."""
        _parameters(self, ctx, formatter)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[Any]:
        """Options that begin so."""
        return _described(super().shell_complete(ctx, incomplete))

    def make_parser(self, ctx: click.Context) -> Any:  # noqa: ANN401 - a class that click keeps to itself
        """Refuse an option given twice of which only one value would be taken."""
        parser = super().make_parser(ctx)
        read = parser.parse_args

        def parse_args(args: list[str]) -> Any:  # noqa: ANN401
            found = read(args)
            single = [one for one in found[2] if isinstance(one, click.Option) and not (one.multiple or one.is_flag)]
            twice = next((one for one in single if single.count(one) > 1), None)
            if twice is not None and not ctx.resilient_parsing:
                ctx.fail(Note("cli.given_twice", name=twice.opts[0]))
            return found

        parser.parse_args = parse_args  # type: ignore[method-assign]
        return parser

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401
        """Run the command; how long it takes is shown until it says something."""
        with waiting.shown(f"qpvgeo {self.name}"):
            return super().invoke(ctx)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Refuse what no argument takes."""
        ctx.allow_extra_args = True
        left = super().parse_args(ctx, args)
        if left and not ctx.resilient_parsing:
            ctx.fail(Note("cli.extra_arguments", given=" ".join(left)))
        return left


class Group(click.Group):
    """All commands; it settles the language, and words what was wrong with a call."""

    command_class = Command

    def format_usage(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Line of usage."""
        _usage(self, ctx, formatter)

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """What it is for."""
        _about(self, formatter)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Options, then commands."""
        _parameters(self, ctx, formatter)
        with formatter.section(_said("cli.commands")):
            formatter.write_dl([(name, _said(one.help)) for name, one in self.commands.items()])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[Any]:
        """Commands and options that begin so."""
        return _described(super().shell_complete(ctx, incomplete))

    def make_context(self, *arguments: Any, **more: Any) -> click.Context:  # noqa: ANN401
        """Read the call; its help may go to a pipe that is closed."""
        with quiet_pipe():
            return super().make_context(*arguments, **more)

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401
        """Run the command; its answer may go to a pipe that is closed."""
        with quiet_pipe():
            return super().invoke(ctx)

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:  # noqa: ANN401
        """Find the command named."""
        if args[0] not in self.commands and not ctx.resilient_parsing:
            ctx.fail(Note("cli.no_command", given=args[0], commands=", ".join(self.commands)))
        return super().resolve_command(ctx, args)

    def main(self, args: Sequence[str] | None = None, *more: Any, **extra: Any) -> Any:  # noqa: ANN401
        """Run a command line in its language; a call that is wrong ends with 2."""
        given = sys.argv[1:] if args is None else [str(one) for one in args]
        if "_QPVGEO_COMPLETE" in os.environ:
            from qpvgeo.cli import completion  # noqa: F401 - click finds its classes
        try:
            # a JSON document is the same in either language
            with language_of([*given, "--lang", "en"] if "--json" in given else given):
                status = super().main(given, *more, **{**extra, "standalone_mode": False})
        except click.exceptions.NoArgsIsHelpError as error:
            with language_of(given):
                click.echo(error.ctx.get_help(), err=True)
            sys.exit(2)
        except click.ClickException as error:
            with language_of(given):
                click.echo(_worded(error), err=True)
            sys.exit(error.exit_code)
        except click.Abort:
            with language_of(given):
                click.echo(f"qpvgeo: {Note('cli.interrupted')}", err=True)
            sys.exit(130)
        sys.exit(status if isinstance(status, int) else 0)


def command(group: Group, name: str, about: str) -> Callable[[Any], click.Command]:
    """Add a command to a group; `about` is the phrase of its help."""
    return group.command(name, cls=Command, help=about)


@contextmanager
def language_of(given: Sequence[str]) -> Iterator[None]:
    """Set the language that a command line chooses, so that help and errors are in it too."""
    before = settings.language
    for position, word in enumerate(given):
        name, equals, value = word.partition("=")
        chosen = value if equals else next(iter(given[position + 1 :]), "")
        if name == "--lang" and chosen in LANGUAGES:
            settings.language = chosen
    try:
        yield
    finally:
        settings.language = before


def _worded(error: click.ClickException) -> str:
    """What was wrong with the call, with the usage above it."""
    context = getattr(error, "ctx", None)
    usage = f"{context.get_usage()}\n{Note('cli.try_help', command=context.command_path)}\n\n" if context else ""
    return visible(f"{usage}{Note('cli.error', message=_message(error))}")


def _message(error: click.ClickException) -> str:
    if isinstance(error, NoSuchOption):
        near = list(error.possibilities or ())
        return Note("cli.no_option_near" if near else "cli.no_option", name=error.option_name, near=near)
    if isinstance(error, BadOptionUsage):
        return Note("cli.needs_value", name=error.option_name)
    if isinstance(error, MissingParameter):
        return Note("cli.missing", name=_name(error))
    if isinstance(error, click.BadParameter):
        return Note("cli.bad_value", name=_name(error), why=error.message)
    return error.message


def _name(error: click.BadParameter) -> str:
    """Option or argument of an error, as the user writes it."""
    if error.param_hint:
        return error.param_hint if isinstance(error.param_hint, str) else ", ".join(error.param_hint)
    param = error.param
    if param is None:
        return ""
    return param.opts[0] if isinstance(param, click.Option) else param.metavar or str(param.name).upper()


def _usage(command: click.Command, ctx: click.Context, formatter: click.HelpFormatter) -> None:
    pieces = " ".join(command.collect_usage_pieces(ctx))
    formatter.write_usage(ctx.command_path, pieces, prefix=f"{_said('cli.usage')} ")


def _about(command: click.Command, formatter: click.HelpFormatter) -> None:
    formatter.write_paragraph()
    with formatter.indentation():
        formatter.write_text(_said(command.help))


def _parameters(command: click.Command, ctx: click.Context, formatter: click.HelpFormatter) -> None:
    params = command.get_params(ctx)
    arguments = [(one.make_metavar(ctx), _said(one.about)) for one in params if isinstance(one, _Argument)]
    if arguments:
        with formatter.section(_said("cli.arguments")):
            formatter.write_dl(arguments)
    options = [_record(one, ctx) for one in params if isinstance(one, click.Option)]
    with formatter.section(_said("cli.options")):
        formatter.write_dl(options)


def _described(found: list[Any]) -> list[Any]:
    """What completes a word, described as in the help."""
    for item in found:
        item.help = _said("cli.help" if item.value in ("-h", "--help") else item.help)
    return found


def _record(one: click.Option, ctx: click.Context) -> tuple[str, str]:
    """An option as the help shows it: its names and what it takes, what it is for and its default."""
    names = ", ".join(sorted([*one.opts, *one.secondary_opts], key=len))
    if not one.is_flag:
        names += f" {one.make_metavar(ctx)}"
    about = _said("cli.help") if "--help" in one.opts else _said(one.help)
    default = ",".join(one.default) if isinstance(one.default, list) else one.default
    if not one.is_flag and isinstance(default, str | int | float) and default != "":
        about += f" [{_said('cli.default')} {default}]"
    return names, about
