"""Completion in bash, zsh and fish: what click does, with `--option=value`, and homes (`~`) in fish."""

from __future__ import annotations

from click.shell_completion import (
    BashComplete,
    CompletionItem,
    FishComplete,
    ShellComplete,
    ZshComplete,
    add_completion_class,
)

from qpvgeo.cli.parser import language_of

__all__: list[str] = []


class _WithValues(ShellComplete):
    """Values of `--option=value` with the option before them, as these shells replace the whole word."""

    def get_completions(self, args: list[str], incomplete: str) -> list[CompletionItem[str]]:
        """What may stand there, described in the language of the line or of the run."""
        with language_of(args):
            found = super().get_completions(args, incomplete)
        if incomplete.startswith("-") and "=" in incomplete:
            for item in found:
                item.value = f"{incomplete.partition('=')[0]}={item.value}"
        return found


@add_completion_class
class _Zsh(_WithValues, ZshComplete):
    """Completion in zsh: a file begins after the equals sign."""

    source_template = ZshComplete.source_template.replace("_path_files", "compset -P '--*='; _path_files")


@add_completion_class
class _Fish(_WithValues, FishComplete):
    """Completion in fish: files as fish itself completes them, descriptions whole."""

    source_template = FishComplete.source_template.replace(
        "__fish_complete_path $metadata[2]", "complete -C \"'' \"(commandline -ct)"
    ).replace('string split ","', 'string split -m 1 ","')


@add_completion_class
class _Bash(BashComplete):
    """Completion in bash, which takes the equals sign for a word."""

    def get_completion_args(self) -> tuple[list[str], str]:
        """Words of the line without equals signs, and the one to complete."""
        words, incomplete = super().get_completion_args()
        return [word for word in words if word != "="], "" if incomplete == "=" else incomplete
