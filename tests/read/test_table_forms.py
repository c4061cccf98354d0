"""Forms in which people have the same table: marks, thousands, headers on two lines, levels, sheets, codes."""

import openpyxl
import pandas as pd
import pyogrio
import pytest
from tests.builders import open_document, refused, workbook_of

import qpvgeo as qg
from qpvgeo.errors import DataError
from qpvgeo.quality.files import examine
from qpvgeo.sources import recognise


def table(folder, text, encoding="utf-8"):
    path = folder / "table.csv"
    path.write_bytes(text.encode(encoding))
    return path


def workbook(folder, **sheets):
    return workbook_of(folder / "table.xlsx", **sheets)


def notes_of(frame):
    return [note.key for note in qg.provenance(frame)["notes"]]


def people(path, **options):
    found = qg.read_population(path, **options)["population"]
    assert [report.ok for report in examine(path)] == [True]
    assert recognise.identify(path)
    return found.astype(object).where(found.notna(), None).to_dict()


@pytest.mark.parametrize(
    "mark", ["///", "n.d.", "N.S.", "nc", "<5", "< 11", "-", "–", "…", "*", "secret", "non diffusé", "moins de 5", "s"]
)
def test_a_mark_in_place_of_a_number_is_missing_and_counted(tmp_path, mark):
    path = table(tmp_path, f"codeQPV;libQPV;popMuniQPV\nQN05901N;A;1200\nQN05902N;B;{mark}\n")
    assert people(path) == {"QN05901N": 1200, "QN05902N": None}
    assert "read.populations_missing" in notes_of(qg.read_population(path))


@pytest.mark.parametrize("cells", [("1.200", "3.450"), ("1,200", "11,450"), ("1,234,567", "900"), ("1\u00a0200", "3")])
def test_thousands_are_no_decimals(tmp_path, cells):
    path = table(tmp_path, "CODGEO;LIBGEO;PMUN\n" + "".join(f"5900{k};A;{cell}\n" for k, cell in enumerate(cells, 1)))
    expected = [int(cell.replace(".", "").replace(",", "").replace("\u00a0", "")) for cell in cells]
    assert list(people(path, level="commune").values()) == expected


@pytest.mark.parametrize(("cells", "expected"), [(("1634.756", "12.5"), [1635, 12]), (("1200", "1.250"), [1200, 1])])
def test_decimals_are_decimals_where_other_cells_say_so(tmp_path, cells, expected):
    path = table(tmp_path, "CODGEO;LIBGEO;PMUN\n" + "".join(f"5900{k};A;{cell}\n" for k, cell in enumerate(cells, 1)))
    found = qg.read_population(path, level="commune")
    assert found["population"].tolist() == expected
    assert "read.populations_rounded" in notes_of(found)


@pytest.mark.parametrize("delimiter", [";", ",", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_separators_and_encodings(tmp_path, delimiter, encoding):
    text = "codeQPV;libQPV;popMuniQPV\nQN05901N;Épinettes;1200\n".replace(";", delimiter)
    found = qg.read_population(table(tmp_path, text, encoding))
    assert found.loc["QN05901N", ["population", "name_published"]].tolist() == [1200, "Épinettes"]


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("qn05901n", "QN05901N"),
        ("QN 059 01N", "QN05901N"),
        ("QN-059-01N", "QN05901N"),
        ("\ufeffQN05901N", "QN05901N"),
        ("QN5901N", "QN05901N"),
        ("QN2A01N", "QN02A01N"),
    ],
)
def test_codes_of_qpv_as_people_write_them(tmp_path, written, code):
    path = table(tmp_path, f"codeQPV;libQPV;popMuniQPV\nQN05902N;B;3\n{written};A;1200\n")
    assert people(path)[code] == 1200


@pytest.mark.parametrize(
    ("written", "code"), [("1004.0", "01004"), ("1004", "01004"), ("2a004", "2A004"), ("5.9350E+04", "59350")]
)
def test_codes_of_communes_that_a_spreadsheet_changed(tmp_path, written, code):
    path = table(tmp_path, f"CODGEO;LIBGEO;PMUN\n{written};A;1200\n59009;B;3\n")
    assert people(path, level="commune")[code] == 1200


def test_an_exponent_that_lost_digits_is_no_code(tmp_path):
    path = table(tmp_path, "siren;nom;nature\n2.459E+08;MEL;METRO\n")
    with pytest.raises(DataError) as caught:
        qg.read_epci(path)
    assert [problem.values for problem in caught.value.problems] == [{"column": "siren", "example": "2.459E+08"}]
    whole = table(tmp_path, "siren;nom;nature\n2,45900410E+08;MEL;METRO\n")
    assert qg.read_epci(whole).index.tolist() == ["245900410"]


@pytest.mark.parametrize(
    "rows",
    [
        [["Code QPV", "Nom", "Population municipale", None], [None, None, 2013, 2018], ["QP059001", "A", 12, 13]],
        [[None, None, "Population municipale", None], ["Code QPV", "Nom", 2013, 2018], ["QP059001", "A", 12, 13]],
        [["Code", "Libellé", "Population", None], ["QPV", "QPV", 2013, 2018], ["QP059001", "A", 12, 13]],
        [["Table 1"], [], ["Code QPV", "Nom", "Population 2013", "Population 2018"], ["QP059001", "A", 12, 13]],
    ],
)
def test_headers_on_two_lines_under_merged_cells(tmp_path, rows):
    path = workbook(tmp_path, QPV=rows)
    assert people(path, year=2018) == {"QP059001": 13}
    assert people(path, year=2013) == {"QP059001": 12}


HEADER = ["codeQPV", "libQPV", "popMuniQPV"]


def test_of_several_sheets_the_one_of_the_year_else_a_note(tmp_path):
    sheets = {"RP 2018": [HEADER, ["QP059001", "A", 12]], "RP 2020": [HEADER, ["QP059001", "A", 13]]}
    path = workbook(tmp_path, **sheets)
    assert people(path, year=2020) == {"QP059001": 13}
    assert people(path, year=2018) == {"QP059001": 12}
    assert people(path, year=2019, layer="RP 2020") == {"QP059001": 13}
    assert "formats.other_sheets" in notes_of(qg.read_population(path, year=2013))


@pytest.mark.parametrize(
    "total",
    [
        "FR;France;66",
        ";Sous-total Nord;66",
        "TOTAL;;66",
        ";Hauts-de-France;66",
        "59;Département du Nord;66",
        ";Moyenne;66",
    ],
)
def test_totals_stand_in_many_words_and_places(tmp_path, total):
    head, row = "CODGEO;LIBGEO;PMUN\n", "59350;Lille;60\n59009;Villeneuve;6\n"
    for text in (f"{head}{total}\n{row}", f"{head}{row}{total}\n"):
        path = table(tmp_path, text)
        assert people(path, level="commune") == {"59350": 60, "59009": 6}
        assert qg.read_communes(path)["population"].to_dict() == {"59350": 60, "59009": 6}


def test_totals_may_be_more_than_the_codes(tmp_path):
    totals = ";France métropolitaine;9\n;Auvergne-Rhône-Alpes;9\n;Ain;8\n"
    path = table(tmp_path, f"codeQPV;libQPV;popMuniQPV\n{totals}QN00101M;A;6\nQN00102M;B;2\n")
    assert people(path) == {"QN00101M": 6, "QN00102M": 2}


def test_a_column_of_codes_that_few_addresses_have_makes_no_table_of_qpv(tmp_path):
    rows = "1;rue A;Ain;QN00101M\n2;rue B;Ain;\n3;rue C;Ain;\n4;rue D;Ain;\n"
    path = table(tmp_path, f"id;rue;departement;qp\n{rows}")
    assert list(recognise.identify(path)) == []


def test_levels_of_one_table_are_told_apart(tmp_path):
    rows = "REG;32;HdF;60\nDEP;59;Nord;26\nEPCI;245900410;MEL;11\nCOM;59350;Lille;2\nCOM;59009;Villeneuve;1\n"
    path = table(tmp_path, f"NIVGEO;CODGEO;LIBGEO;P20_POP\n{rows}")
    assert people(path, level="commune") == {"59350": 2, "59009": 1}
    assert qg.read_communes(path)["population"].sum() == 3


LEGAL = "Code région;Nom de la région;Code département;Code arrondissement;Code canton;Code commune;Nom de la commune;"


def test_legal_populations_give_the_code_in_two_columns(tmp_path):
    rows = "84;ARA;01;2;08;004;Ambérieu;14000;300;14300\n01;Gua;971;1;1;01;Les Abymes;53000;1;53001\n"
    text = f"{LEGAL}Population municipale;Population comptée à part;Population totale\n{rows}"
    path = table(tmp_path, text)
    assert people(path, level="commune") == {"01004": 14000, "97101": 53000}
    assert qg.read_communes(path)["name"].tolist() == ["Ambérieu", "Les Abymes"]


BANATIC = (
    "Région siège;N° SIREN;Nom du groupement;Nature juridique;Siren membre;Nom membre;Code Insee membre;"
    "Population membre;Population groupement\n"
    "HdF;245900410;Métropole de Lille;METRO;215903501;Lille;59350;236000;1180000\n"
    "HdF;245900410;Métropole de Lille;METRO;215900093;Villeneuve;59009;63000;1180000\n"
)


def test_members_of_an_epci_as_banatic_exports_them(tmp_path):
    path = table(tmp_path, BANATIC)
    communes = qg.read_communes(path)
    assert communes["population"].to_dict() == {"59350": 236000, "59009": 63000}
    assert set(communes["epci"]) == {"245900410"}
    assert [report.ok for report in examine(path)] == [True]
    assert qg.read_epci(path)["name"].to_dict() == {"245900410": "Métropole de Lille"}


def test_two_columns_of_codes_are_a_choice_that_works(tmp_path):
    path = table(tmp_path, "qpv_ancien;qpv_nouveau;population\nQP059001;QN05901N;1200\n")
    with pytest.raises(DataError) as caught:
        qg.read_population(path, year=2013)
    assert caught.value.key == "read.several_code_columns"
    for column, code in (("qpv_ancien", "QP059001"), ("qpv_nouveau", "QN05901N")):
        assert qg.read_population(path, year=2013, columns={column: "qpv_code"}).index.tolist() == [code]


def test_a_record_with_the_word_of_a_level_is_no_header(tmp_path):
    path = table(tmp_path, "GEO;OBJET;PMUN\n59350;COM;2021\n59009;COM;300\n")
    assert isinstance(qg.read_communes(path), pd.DataFrame)
    assert people(path, level="commune") == {"59350": 2021, "59009": 300}


LEFT = "siren;nature;nb_com;pmun;insee;nom_com\n245900410;METRO;95;1170000;59350;Lille\n"
RIGHT = "CODGEO;LIBGEO;EPCI;LIBEPCI;pop_mun\n59350;Lille;245900410;MEL;1170000\n67482;Strasbourg;246700488;EMS;500000\n"


def test_people_among_the_columns_of_an_epci_of_one_commune_are_not_those_of_the_commune(tmp_path):
    path = table(tmp_path, LEFT)
    refused(lambda: qg.read_population(path, level="commune", year=2017), "read.populations_of_epci")
    assert qg.read_communes(path)["population"].isna().all()
    assert "read.epci_totals" in notes_of(qg.read_communes(path))
    # the caller who names it is obeyed
    named = qg.read_population(path, level="commune", year=2017, columns={"pmun": "population"})
    assert named["population"].tolist() == [1_170_000]


def test_a_doubt_on_whose_people_they_are_is_a_note(tmp_path):
    path = table(tmp_path, RIGHT)
    assert "read.one_commune_an_epci" in notes_of(qg.read_population(path, level="commune", year=2017))
    assert "read.one_commune_an_epci" in notes_of(qg.read_communes(path))


@pytest.mark.parametrize(
    "text",
    [
        RIGHT.replace("67482;Strasbourg;246700488;EMS", "59009;Villeneuve;245900410;MEL"),
        RIGHT.replace("pop_mun", "pmun_com"),
        RIGHT.replace(";LIBEPCI;pop_mun", ";pmun_epci;pop_mun").replace("MEL", "1170000").replace("EMS", "500000"),
        RIGHT.replace("LIBEPCI", "REG"),
    ],
    ids=["an EPCI of two communes", "said by the name", "beside those of the EPCI", "not of a composition"],
)
def test_no_doubt_where_something_tells(tmp_path, text):
    assert "read.one_commune_an_epci" not in notes_of(qg.read_communes(table(tmp_path, text)))


def test_the_year_of_people_is_in_the_name_that_the_caller_gives(tmp_path):
    path = table(tmp_path, "codeQPV;libQPV;effectif_2021\nQN05901N;A;1200\n")
    found = qg.read_population(path, columns={"effectif_2021": "population"})
    assert found["reference_year"].tolist() == [2021]


HEAD = ["codeQPV", "libQPV", "popMuniQPV"]


@pytest.mark.parametrize("order", [("old", "new"), ("new", "old")], ids=["hidden first", "hidden last"])
def test_a_hidden_sheet_is_read_where_it_is_named_or_alone(tmp_path, order):
    rows = {"old": [HEAD, ["QN05901N", "A", 9], ["QN05902N", "B", 9]], "new": [HEAD, ["QN05901N", "A", 1200]]}
    path = workbook(tmp_path, **{name: rows[name] for name in order})
    book = openpyxl.load_workbook(path)
    book["old"].sheet_state, book.active = "hidden", book["new"]
    book.save(path)
    assert people(path) == {"QN05901N": 1200}
    assert qg.read_population(path, layer="old")["population"].tolist() == [9, 9]
    del book["new"]
    book.create_sheet("empty")
    book.save(path)
    assert qg.read_population(path)["population"].tolist() == [9, 9]


@pytest.mark.parametrize(
    "note",
    ["Source : Insee, RP 2020", "(1) Données provisoires", "* estimation", "Champ : France", "Lecture : 12 personnes"],
)
def test_notes_under_a_table_of_two_columns_are_no_rows(tmp_path, note):
    assert people(table(tmp_path, f"codeQPV;popMuniQPV\nQN05901N;1200\n{note};\n")) == {"QN05901N": 1200}


def test_a_last_row_without_people_is_a_row_and_no_note(tmp_path):
    found = qg.read_epci(table(tmp_path, "libepci;epci\nMEL;245900410\nCA des Sources;200069029\n"))
    assert len(found) == 2
    path = table(tmp_path, "codeQPV;popMuniQPV\nQN05901N;1200\nQN 059 02 N;\n")
    assert people(path) == {"QN05901N": 1200, "QN05902N": None}


@pytest.mark.parametrize("space", ["\u2009", "\u2007", "\u202f", "\u00a0"])
def test_thousands_set_apart_by_any_space(tmp_path, space):
    assert people(table(tmp_path, f"codeQPV;libQPV;popMuniQPV\nQN05901N;A;12{space}345\n")) == {"QN05901N": 12_345}


def test_an_open_document_is_read_as_any_workbook(tmp_path):
    rows = pd.DataFrame({"codeQPV": ["QN05901N", "QN05902N"], "popMuniQPV": [1200, 3400]})
    pyogrio.write_dataframe(rows, tmp_path / "table.ods", driver="ODS")
    assert people(tmp_path / "table.ods") == {"QN05901N": 1200, "QN05902N": 3400}


def test_an_open_document_that_is_no_workbook_is_refused_by_its_name(tmp_path):
    path = open_document(tmp_path / "table.odt", "")
    assert refused(lambda: qg.read_population(path), "formats.open_document").way_out.key == "formats.save_as_xlsx"


def test_what_is_no_code_is_the_example_of_what_is_no_code(tmp_path):
    path = table(tmp_path, "code_qp;lib;pop_mun\nQN05901N;A;12\nDEP59;Nord;12\nREG32;Hauts;12\n")
    error = refused(lambda: qg.read_population(path), "read.no_qpv_codes")
    assert [problem.values["example"] for problem in error.problems] == ["DEP59"]


@pytest.mark.parametrize("epci", ["epci_code", "codeEpci", "SIREN de l'EPCI", "siren_epci"])
@pytest.mark.parametrize("name", ["nom_standard", "nom", "Nom de la commune", "commune_membre"])
def test_communes_with_their_epci_as_portals_name_them(tmp_path, epci, name):
    path = table(tmp_path, f"code_insee;{name};{epci};population\n59350;Lille;200093201;236000\n")
    communes = qg.read_communes(path)
    assert communes.loc["59350", ["name", "epci", "population"]].tolist() == ["Lille", "200093201", 236_000]


def test_communes_of_the_past_are_not_communes_of_the_day(tmp_path):
    header = "COM,TNCC,NCC,NCCENR,LIBELLE,DATE_DEBUT,DATE_FIN"
    rows = [
        "01004,1,AMBERIEU,Ambérieu,Ambérieu,1943-01-01,1955-03-31",
        "01004,1,AMBERIEU EN BUGEY,Ambérieu-en-Bugey,Ambérieu-en-Bugey,1955-03-31,",
        "01003,1,AMAREINS,Amareins,Amareins,1943-01-01,1974-01-01",
        "20004,1,AJACCIO,Ajaccio,Ajaccio,1943-01-01,1976-01-01",
        "2A004,1,AJACCIO,Ajaccio,Ajaccio,1976-01-01,",
    ]
    communes = qg.read_communes(table(tmp_path, "\n".join([header, *rows])))
    assert communes["name"].to_dict() == {"01004": "Ambérieu-en-Bugey", "2A004": "Ajaccio"}


@pytest.mark.parametrize("encoding", ["mac_roman", "cp850"])
def test_names_in_the_encoding_of_old_macs_and_of_dos(tmp_path, encoding):
    path = table(tmp_path, "code_qp;lib_qp;pop_mun\nQN05901N;Cité des Hêtres;12\nQN05902N;Le Château;13\n", encoding)
    found = qg.read_population(path)
    assert found["name_published"].tolist() == ["Cité des Hêtres", "Le Château"]
    assert "formats.read_as" in notes_of(found)


def sheets_of_years(folder, *years):
    sheets = {year: [["codeQPV", "popMuniQPV"], ["QN05901M", 100 + number]] for number, year in enumerate(years)}
    return workbook_of(folder / "years.xlsx", **sheets)


def test_sheets_that_are_named_after_years_leave_a_choice(tmp_path):
    path = sheets_of_years(tmp_path, "RP 2018", "RP 2020")
    error = refused(lambda: qg.read_population(path), "read.several_years")
    assert error.message.values["years"] == [2018, 2020]
    found = qg.read_population(path, year=error.way_out.values["year"])
    assert (found["population"].tolist(), found["reference_year"].tolist()) == ([101], [2020])


def test_the_sheet_that_is_named_is_read_whatever_its_year(tmp_path):
    path = sheets_of_years(tmp_path, "RP 2018", "RP 2020")
    assert qg.read_population(path, layer="RP 2018")["population"].tolist() == [100]


@pytest.mark.parametrize("units", [";;habitants", "code;texte;nombre", "(code);;(hab.)"])
def test_a_row_of_units_is_no_quarter(tmp_path, units):
    path = tmp_path / "people.csv"
    path.write_text(f"codeQPV;libQPV;popMuniQPV\n{units}\nQN05901M;A;1000\nQN05902M;B;2000\n", encoding="utf-8")
    assert qg.read_population(path)["population"].to_dict() == {"QN05901M": 1000, "QN05902M": 2000}


def test_a_first_row_without_a_code_that_names_a_quarter_is_refused(tmp_path):
    path = tmp_path / "people.csv"
    path.write_text("codeQPV;libQPV;popMuniQPV\n;Les Oliveaux;\nQN05902M;B;2000\n", encoding="utf-8")
    refused(lambda: qg.read_population(path), "codes.no_valid_code")


def test_a_siren_in_the_notation_of_a_spreadsheet_is_one_code(tmp_path):
    path = tmp_path / "communes.csv"
    path.write_text("codgeo;libgeo;epci\n59350;Lille;2,00093201E+08\n59009;Ascq;2,00E+08\n", encoding="utf-8")
    found = qg.read_communes(path)
    assert found["epci"].fillna("").tolist() == ["200093201", ""]
    assert any("2,00E+08" in note for note in found.attrs["qpvgeo"]["notes"])
