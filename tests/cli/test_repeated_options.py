"""An option given twice: lists are put together, of any other none of the values is dropped without a word."""

import json

import click
import pytest
from click.testing import CliRunner

from qpvgeo.cli import app


def run(*words):
    return CliRunner().invoke(app, [str(word) for word in words])


def answer(*words):
    result = run(*words, "--json")
    assert result.exit_code == 0, (result.output, result.exception)
    return json.loads(result.stdout)


def options():
    return [
        (name, one)
        for name, command in sorted(app.commands.items())
        for one in command.params
        if isinstance(one, click.Option) and not one.is_flag
    ]


@pytest.mark.parametrize(
    "words", [["--stats", "mean", "--stats", "max"], ["--stats", "mean,max"]], ids=["twice", "comma"]
)
def test_statistics_given_twice_are_all_shown(words):
    assert answer("coverage", "--sample", *words)["statistics"] == ["qpv_mean", "qpv_max"]


@pytest.mark.parametrize(
    "words", [["--bands", "100", "--bands", "1000"], ["--bands", "100,1000"]], ids=["twice", "comma"]
)
def test_bands_given_twice_are_all_counted(words):
    assert list(answer("tag", "--sample", *words)["bands"]) == ["100", "1000"]


def test_columns_given_twice_are_all_named(tmp_path):
    (tmp_path / "points.csv").write_text("a,b\n3.0,50.6\n", encoding="utf-8")
    words = ["tag", tmp_path / "points.csv", "--sample", "--columns"]
    assert run(*words, "a=lon", "--columns", "b=lat").output == run(*words, "a=lon,b=lat").output


@pytest.mark.parametrize(("name", "one"), options(), ids=[f"{name} {one.opts[-1]}" for name, one in options()])
def test_any_other_option_given_twice_is_refused(name, one):
    words = [one.opts[-1], "1", one.opts[-1], "2"]
    command = app.commands[name]
    with command.make_context(name, [], resilient_parsing=True) as context:
        parser = command.make_parser(context)
        context.resilient_parsing = False
        if one.multiple:
            assert parser.parse_args(words)[0][one.name] == ["1", "2"]
            return
        with pytest.raises(click.UsageError) as caught:
            parser.parse_args(words)
    assert caught.value.message.key == "cli.given_twice"


def test_lists_and_no_other_options_show_commas():
    for name, one in options():
        listed = (one.metavar or "").endswith(",...")
        assert listed <= one.multiple, name


def test_flags_may_be_repeated():
    assert run("coverage", "--sample", "--json", "--json").exit_code == 0
