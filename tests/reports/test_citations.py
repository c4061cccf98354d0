"""Citations made from provenance: each file once, in both styles and languages, special signs shown as they are."""

import re

import pandas as pd
import pytest
from tests.builders import refused

import qpvgeo as qg
from qpvgeo._version import __version__
from qpvgeo.errors import UsageError
from qpvgeo.frames import provenance


def frame(**record):
    return provenance.stamp(pd.DataFrame({"a": [1]}), [{"file": "data.csv", "sha256": "ab" * 32, **record}])


def test_library_comes_first_and_each_file_once():
    people = qg.read_population(qg.sample().population_2024)
    lines = qg.cite(people, None, people, lang="en").splitlines()
    assert lines[0] == f"The qpvgeo developers, qpvgeo {__version__}, Python library, MIT licence."
    assert [line for line in lines if "pop_QPV24.csv" in line] == lines[1:2]
    assert lines[-1].startswith("Fictional data")


def test_file_of_the_catalogue_is_cited_by_its_title_and_licence():
    said = qg.cite(frame(file="QP_METROPOLE_LB93.shp", release="2015-08"), lang="fr").splitlines()[1]
    assert said == (
        "ANCT, QPV 2015, périmètres, France hexagonale, 2015-08, Licence Ouverte 2.0 "
        "(fichier QP_METROPOLE_LB93.shp, SHA-256 abababababababab)."
    )


def test_bibtex_has_an_entry_for_each_file_with_balanced_braces():
    entries = qg.cite(frame(), frame(file="b.csv", producer="Insee", reference_year=2020), style="bibtex")
    assert re.findall(r"^@(\w+)\{([^,]+),$", entries, re.MULTILINE) == [
        ("software", "qpvgeo"),
        ("misc", "data-file-abababab"),
        ("misc", "insee-file-2020-abababab"),
    ]
    assert entries.count("{") == entries.count("}")
    assert "year = {2020}" in entries


def test_key_of_a_file_does_not_depend_on_what_else_is_cited():
    one, other = frame(), frame(file="b.csv", sha256="cd" * 32)
    alone, after = (qg.cite(*frames, style="bibtex").split("\n\n")[-1] for frames in ([one], [other, one]))
    assert alone == after


def test_members_of_one_archive_have_keys_of_their_own():
    entries = qg.cite(frame(member="a"), frame(member="b"), style="bibtex")
    assert re.findall(r"^@misc\{([^,]+),$", entries, re.MULTILINE) == ["data-file-abababab", "data-file-abababab-2"]


def test_special_signs_are_escaped_in_bibtex_and_kept_in_plain_text():
    hostile = frame(file="50% & $1_{a}#~^\\.csv")
    assert "50% & $1_{a}#~^\\.csv" in qg.cite(hostile)
    assert r"50\% \& \$1\_\{a\}\#\textasciitilde{}\textasciicircum{}\textbackslash{}.csv" in qg.cite(
        hostile, style="bibtex"
    )


def test_frame_of_another_origin_adds_nothing():
    assert len(qg.cite(pd.DataFrame({"a": [1]})).splitlines()) == 1


@pytest.mark.parametrize(
    ("given", "options", "key"),
    [
        ([], {"style": "apa"}, "reports.no_style"),
        ([], {"lang": "de"}, "maps.unknown_language"),
        ([3], {}, "reports.not_a_frame"),
    ],
)
def test_misuse_is_one_error_of_ours(given, options, key):
    error = refused(lambda: qg.cite(*given, **options), "reports.cannot_cite", UsageError)
    assert [one.key for one in error.problems] == [key]
