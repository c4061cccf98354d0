"""Long tables of Insee's catalogue: a row per value, in the documented headers; rows made up."""

import zipfile

import pandas as pd
import pytest
from tests.builders import refused

import qpvgeo as qg
from qpvgeo.quality.files import examine
from qpvgeo.read.indicators import read_indicators
from qpvgeo.sources import recognise

HEAD = '"GEO";"GEO_OBJECT";"FREQ";"POPREF_MEASURE";"TIME_PERIOD";"OBS_VALUE"\n'
PEOPLE = {("01004", 2021): 14000, ("01004", 2022): 14100, ("2A004", 2021): 900, ("2A004", 2022): 905}


def reference(prefix="", level="COM"):
    """Municipal and total populations of two communes in two years, with rows of a department and of the country."""
    rows = "".join(
        f'"{prefix}{code}";"{level}";"A";"{measure}";"{year}";"{people + more}"\n'
        for (code, year), people in PEOPLE.items()
        for measure, more in (("PMUN", 0), ("PCAP", 7), ("PTOT", 99))
    )
    return f'{HEAD}{rows}"01";"DEP";"A";"PMUN";"2022";"660000"\n"F";"FRANCE";"A";"PMUN";"2022";"68000000"\n'


def write(folder, text, name="DS_POPULATIONS_REFERENCE_data.csv"):
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def notes_of(frame):
    return [note.key for note in qg.provenance(frame)["notes"]]


@pytest.mark.parametrize("prefix", ["", "2024-COM-", "COM-"])
def test_municipal_populations_of_communes(tmp_path, prefix):
    path = write(tmp_path, reference(prefix))
    refused(lambda: qg.read_population(path, level="commune"), "read.several_years")
    found = qg.read_population(path, level="commune", year=2021)
    assert found["population"].to_dict() == {"01004": 14000, "2A004": 900}
    assert found["reference_year"].tolist() == [2021, 2021]
    assert "sources.long_table" in notes_of(found)
    assert [one.kind for one in recognise.identify(path)] == ["communes population"]
    assert all(report.ok for report in examine(path))


def test_a_table_of_communes_has_the_people_of_the_last_year(tmp_path):
    found = qg.read_communes(write(tmp_path, reference()))
    assert found["population"].to_dict() == {"01004": 14100, "2A004": 905}


def test_the_data_and_their_dictionary_in_one_archive(tmp_path):
    path = tmp_path / "DS_POPULATIONS_REFERENCE_CSV_FR.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("DS_metadata.csv", "COD_VAR;LIB_VAR;COD_MOD;LIB_MOD\nGEO;Territoire;01004;Ambérieu\n")
        archive.writestr("DS_data.csv", reference())
    assert qg.read_population(path, level="commune", year=2022)["population"].to_dict() == {
        "01004": 14100,
        "2A004": 905,
    }


def test_people_of_qpv(tmp_path):
    rows = "QN00101M;QPV2024;A;PMUN;2021;1400\nQN00102M;QPV2024;A;PMUN;2021;730\n01004;COM;A;PMUN;2021;14000\n"
    found = qg.read_population(write(tmp_path, HEAD.replace('"', "") + rows))
    assert found["population"].to_dict() == {"QN00101M": 1400, "QN00102M": 730}
    assert found["reference_year"].tolist() == [2021, 2021]


def test_the_total_of_each_dimension_is_the_population(tmp_path):
    parts = [("_T", "_T", "14000"), ("F", "_T", "7000"), ("M", "_T", "7000"), ("_T", "Y_LT15", "3000")]
    rows = "".join(f"01004;COM;POP;{sex};{age};2021;{people}\n" for sex, age, people in parts)
    path = write(tmp_path, f"GEO;GEO_OBJECT;RP_MEASURE;SEX;AGE;TIME_PERIOD;OBS_VALUE\n{rows}")
    assert qg.read_population(path, level="commune")["population"].to_dict() == {"01004": 14000}
    table = read_indicators(path, by="commune")
    assert dict(zip(table["indicator"], table["value"], strict=True)) == {
        "pop": 14000,
        "pop_f": 7000,
        "pop_m": 7000,
        "pop_y_lt15": 3000,
    }


def test_values_without_a_measure_are_named_by_the_caller(tmp_path):
    path = write(tmp_path, "GEO;GEO_OBJECT;TIME_PERIOD;OBS_VALUE\n01004;COM;2022;14100\n2A004;COM;2022;905\n")
    error = refused(lambda: qg.read_population(path, level="commune"), "read.no_population_column")
    named = error.way_out.values["columns"][-1]
    assert named == "OBS_VALUE_2022"
    found = qg.read_population(path, level="commune", columns={named: "population"})
    assert found["population"].to_dict() == {"01004": 14100, "2A004": 905}
    assert found["reference_year"].tolist() == [2022, 2022]


def test_two_values_of_one_measure_and_year_are_refused(tmp_path):
    rows = "01004;COM;A;PMUN;2021;14000\n01004;COM;A;PMUN;2021;15000\n"
    path = write(tmp_path, HEAD.replace('"', "") + rows)
    error = refused(lambda: qg.read_population(path, level="commune"), "sources.long_repeats")
    assert [problem.values["value"] for problem in error.problems] == ["14000", "15000"]


def test_indicators_with_their_units_and_secrets(tmp_path):
    head = "GEO;GEO_OBJECT;FILOSOFI_MEASURE;UNIT_MEASURE;CONF_STATUS;TIME_PERIOD;OBS_VALUE\n"
    rows = "01004;COM;MED_SL;EUR_YR;F;2021;22000\n01004;COM;PR_MD60;PT;C;2021;\n01;DEP;MED_SL;EUR_YR;F;2021;1\n"
    table = read_indicators(write(tmp_path, head + rows, "DS_FILOSOFI_CC_data.csv"), by="commune")
    assert table[["commune", "indicator", "unit", "year"]].to_numpy().tolist() == [
        ["01004", "med_sl", "EUR", 2021],
        ["01004", "pr_md60", "%", 2021],
    ]
    assert table["value"].tolist()[0] == 22000
    assert pd.isna(table["value"][1])
    assert table["flag"].tolist()[1] == "secret"
