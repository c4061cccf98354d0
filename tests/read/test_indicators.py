"""Published indicators as one long table: files of our own making in the documented headers, and the real one."""

import zipfile

import pandas as pd
import pytest
from tests.builders import refused

import qpvgeo as qg
from qpvgeo.errors import DataError, UsageError
from qpvgeo.read.indicator_names import named
from qpvgeo.read.indicators import INDICATOR_COLUMNS, read_indicators

INCOME = (
    "CODGEO;LIBGEO;DISP_MED_A21;DISP_TP60_A21;DISP_RD_A21\n"
    "QP001001;Grande Reyssouze;13 780;46,2;2,9\n"
    "QP001002;Croix Blanche;ns;nd;\n"
    ";Ensemble des quartiers;14000;44,1;3,0\n"
)


def write(folder, text, name="revenus.csv", encoding="utf-8"):
    path = folder / name
    path.write_text(text, encoding=encoding)
    return path


def rows(table, *columns):
    return table[list(columns)].astype("object").where(table[list(columns)].notna(), None).to_numpy().tolist()


def test_incomes_by_qpv(tmp_path):
    table = read_indicators(write(tmp_path, INCOME))
    assert list(table.columns) == ["qpv_code", *INDICATOR_COLUMNS]
    assert rows(table, "qpv_code", "indicator", "value", "unit", "year", "flag") == [
        ["QP001001", "disp_med", 13780.0, "EUR", 2021, None],
        ["QP001001", "disp_tp60", 46.2, "%", 2021, None],
        ["QP001001", "disp_rd", 2.9, "ratio", 2021, None],
        ["QP001002", "disp_med", None, "EUR", 2021, "secret"],
        ["QP001002", "disp_tp60", None, "%", 2021, "not available"],
        ["QP001002", "disp_rd", None, "ratio", 2021, "missing"],
    ]
    assert set(table["theme"]) == {"income"}
    assert [note.key for note in table.attrs["qpvgeo"]["notes"]][-1] == "read.totals_left_out"
    assert [str(table[name].dtype) for name in ("value", "year")] == ["Float64", "Int64"]


@pytest.mark.parametrize(
    ("column", "indicator", "year", "unit"),
    [
        ("DISP_MED_A18", "disp_med", 2018, "EUR"),
        ("disp_q2_a17", "disp_med", 2017, "EUR"),
        ("TP60_A13", "disp_tp60", 2013, "%"),
        ("DISP_D9_A21", "disp_d9", 2021, "EUR"),
        ("DISP_PPSOC_A21", "disp_ppsoc", 2021, "%"),
        ("DISP_MED21", "disp_med", 2021, "EUR"),
        ("DISP_TP6021", "disp_tp60", 2021, "%"),
        ("DISP_S80S2021", "disp_s80s20", 2021, "ratio"),
        ("DISP_GI21", "disp_gi", 2021, "index"),
        ("P21_POP", "p_pop", 2021, "number"),
        ("C22_MEN", "c_men", 2022, "number"),
        ("nombre_menages", "nombre_menages", None, "number"),
        ("pop_muni_2018", "pop_muni", 2018, "number"),
        ("taux_pauvrete_60%", "disp_tp60", None, "%"),
        ("DISP_D921", "disp_d9", 2021, "EUR"),
        ("DISP_PTSA21", "disp_ptsa", 2021, "%"),
        ("surprise", "surprise", None, None),
    ],
)
def test_names_of_every_year_are_one(column, indicator, year, unit):
    assert named(column)[:3] == (indicator, year, unit)


def test_the_theme_is_that_of_the_catalogue_or_the_one_given(tmp_path):
    text = "codeQPV;libQPV;nb_defm\nQN00101M;Grande Reyssouze;812\n"
    assert read_indicators(write(tmp_path, text))["theme"].tolist() == ["other"]
    assert read_indicators(write(tmp_path, text), theme="jobs", year=2024)["year"].tolist() == [2024]
    with zipfile.ZipFile(tmp_path / "beneficiaires_CNAM_01-01-2025_QP24_csv.zip", "w") as archive:
        archive.writestr("beneficiaires.csv", text.replace("nb_defm", "nb_benef_2025"))
    (row,) = rows(read_indicators(tmp_path / "beneficiaires_CNAM_01-01-2025_QP24_csv.zip"), "theme", "year", "value")
    assert row == ["health", 2025, 812.0]


def test_years_in_rows(tmp_path):
    text = "codeQPV;annee;nb_eleves\nQN00101M;2023;10\nQN00101M;2024;12\n"
    table = read_indicators(write(tmp_path, text))
    assert rows(table, "year", "value") == [[2023, 10.0], [2024, 12.0]]


def test_rows_that_repeat_a_qpv_are_read_once(tmp_path):
    text = "COG;codeQPV;taux_d_emploi\n75056;QN07501M;40,5\n93010;QN07501M;40,5\n"
    table = read_indicators(write(tmp_path, text))
    assert rows(table, "qpv_code", "value") == [["QN07501M", 40.5]]
    assert table.attrs["qpvgeo"]["notes"][-1].key == "read.rows_repeat"


def test_parts_by_commune_keep_their_commune(tmp_path):
    text = "CODGEO;codeQPV;nb_c2s\n01053;QN00101M;100\n01004;QN00101M;s\n01053;QN00102M;7\n"
    table = read_indicators(write(tmp_path, text), theme="health")
    assert rows(table, "qpv_code", "commune", "value", "flag") == [
        ["QN00101M", "01053", 100.0, None],
        ["QN00101M", "01004", None, "secret"],
        ["QN00102M", "01053", 7.0, None],
    ]


def test_rows_that_differ_without_a_commune_are_refused(tmp_path):
    text = "codeQPV;nb_c2s\nQN00101M;100\nQN00101M;7\n"
    error = refused(lambda: read_indicators(write(tmp_path, text)), "read.rows_of_unit_differ", DataError)
    assert list(error.problems) == ["QN00101M"]


def test_incomes_by_iris(tmp_path):
    text = "IRIS;DISP_TP6021;DISP_MED21\n010040101;18,0;20 110\n2A0040101;nd;ns\n10040102;20;19000\n"
    table = read_indicators(write(tmp_path, text), by="iris")
    assert rows(table, "iris", "indicator", "value", "flag") == [
        ["010040101", "disp_tp60", 18.0, None],
        ["010040101", "disp_med", 20110.0, None],
        ["2A0040101", "disp_tp60", None, "not available"],
        ["2A0040101", "disp_med", None, "secret"],
        ["010040102", "disp_tp60", 20.0, None],
        ["010040102", "disp_med", 19000.0, None],
    ]


def test_programmes_by_commune(tmp_path):
    text = "insee_com;lib_com;nb_cites_educatives;nb_france_services\n1053;Bourg-en-Bresse;1;2\n2A004;Ajaccio;0;3\n"
    table = read_indicators(write(tmp_path, text), by="commune", theme="programmes", year=2025)
    assert rows(table, "commune", "indicator", "value") == [
        ["01053", "nb_cites_educatives", 1.0],
        ["01053", "nb_france_services", 2.0],
        ["2A004", "nb_cites_educatives", 0.0],
        ["2A004", "nb_france_services", 3.0],
    ]


def test_a_file_in_the_encoding_of_windows(tmp_path):
    table = read_indicators(write(tmp_path, INCOME.replace("Grande", "Côté"), encoding="cp1252"))
    assert len(table) == 6


def test_misuse_is_refused(tmp_path):
    path = write(tmp_path, INCOME)
    refused(lambda: read_indicators(path, by="street"), "read.no_unit_of_indicators", UsageError)
    refused(lambda: read_indicators(path, by="iris"), "read.no_codes_of_unit", DataError)
    refused(
        lambda: read_indicators(write(tmp_path, "codeQPV;lib\nQN00101M;x\n", "a.csv")), "read.no_figures", DataError
    )
    refused(lambda: read_indicators(write(tmp_path, "codeQPV;n\nQN00101M;1\nXX;2\n", "b.csv")), None, DataError)


@pytest.mark.real
def test_real_indicators_of_the_qpv_of_2024(real_data):
    table = read_indicators(real_data / "qpv2024" / "insee_indicateurs_qpv2024.csv", year=2020)
    wide = table.pivot_table(index="qpv_code", columns="indicator", values="value")
    assert len(wide) == 1518
    hexagone = wide[~wide.index.str.startswith("QN97")]
    assert hexagone["popmuniqpv"].sum() == 5_307_455
    poverty = table[(table["qpv_code"] == "QN00101M") & (table["indicator"] == "disp_tp60")]
    assert rows(poverty, "value", "unit", "year") == [[46.0, "%", 2020]]
    assert table.loc[table["flag"].notna(), "value"].isna().all()
    assert table.loc[table["flag"].isna(), "value"].notna().all()
    assert isinstance(qg.provenance(table)["files"], list)
    assert isinstance(table, pd.DataFrame)
