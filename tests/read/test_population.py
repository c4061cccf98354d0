"""Published populations: of QPV in every form, of their parts by commune, of communes."""

import ast
import zipfile

import openpyxl
import pandas as pd
import pytest

from qpvgeo.errors import DataError, QpvgeoError, UsageError
from qpvgeo.read.population import read_population
from qpvgeo.read.qpv import read_qpv
from qpvgeo.samples import sample


def write(folder, content, name="table.csv", encoding="utf-8"):
    path = folder / name
    path.write_bytes(content.encode(encoding))
    return path


def notes(frame):
    return frame.attrs["qpvgeo"]["notes"]


def keys(frame):
    return [note.key for note in notes(frame)]


def key_of(call):
    with pytest.raises(QpvgeoError) as caught:
        call()
    return caught.value.key, caught.value


POP_QP = (
    "qp;nom_qp;reg;epci1;epci2;uu;liste_des_communes;population_municipale_2013\n"
    "QP001001;Les Saules;84;200071751;240100883;01501;Dorménil, Œuilly;1\u00a0250\n"
    "QP976001;Mangrove;06;;;;Ylang;300\n"
    "QP987001;Lagon;;;;;Punavai;ns\n"
)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
def test_table_of_2013_with_the_census_of_each_territory(tmp_path, encoding):
    people = read_population(write(tmp_path, POP_QP, encoding=encoding))
    assert people.index.tolist() == ["QP001001", "QP976001", "QP987001"]
    assert people["population"].tolist() == [1250, 300, pd.NA]
    assert people["reference_year"].tolist() == [2013] * 3
    assert people["census_year"].tolist() == [2013, 2012, pd.NA]
    assert people.loc["QP001001", ["name_published", "uu_published", "reg_published"]].tolist() == [
        "Les Saules",
        "01501",
        "84",
    ]
    assert people.loc["QP001001", "epci_published"] == ["200071751", "240100883"]
    assert people["communes_published"].isna().all()
    assert notes(people) == ['population_municipale_2013: 1 population missing (1 "ns")']


def test_workbook_with_titles_and_labels_gives_the_same_as_csv(tmp_path):
    book = openpyxl.Workbook()
    header, *rows = [line.split(";") for line in POP_QP.splitlines()]
    labels = ["Code du quartier de la politique de la ville", "Nom", "R", "E1", "E2", "UU", "L", "Population 2013"]
    for row in [["Population municipale"], ["Source"], [], labels, header, *rows]:
        book.active.append(row)
    book.save(tmp_path / "pop.xlsx")
    from_csv = read_population(write(tmp_path, POP_QP))
    from_book = read_population(tmp_path / "pop.xlsx")
    pd.testing.assert_frame_equal(from_book, from_csv)


def test_reference_table_of_the_2024_geography(tmp_path):
    content = (
        "codeQPV;libQPV;codeReg;codeUU2020;popMuniQPV;listeDepcom;listeLibDepcom;listeEpci2022;listeDep;partPop15_24\n"
        "QN00101M;Les Saules;84;01501;6399;01053,01004;A,B;200071751,240100883;01;16,3\n"
        "QN97401M;Lagune;04;;1200;97411;C;;974;ns\n"
    )
    people = read_population(write(tmp_path, content, "pop_QPV24.csv"))
    assert people["reference_year"].tolist() == [2020, 2020]
    assert people["census_year"].tolist() == [2020, pd.NA]
    assert people["communes_published"].tolist() == [["01053", "01004"], ["97411"]]
    assert people["epci_published"].tolist() == [["200071751", "240100883"], []]
    assert people.loc["QN00101M", "partpop15_24"] == 16.3
    assert people["codeuu2020_published"].tolist()[0] == "01501"
    assert 'partPop15_24: missing where 1 "ns"' in notes(people)


INDICATORS = (
    "COG,lib_com,codeQPV,lib_qp,insee_dep,popMuniQPV,partMen1p,surface\n"
    "2571,Omy,QN00201M,Europe,2,5822,49.8,1\n"
    "2691,Saint-Q,QN00201M,Europe,2,5822,49.8,2\n"
    "1053,Bourg,QN00101M,Les Saules,1,100,20,3\n"
)


def test_population_repeated_on_each_commune_is_counted_once(tmp_path):
    people = read_population(write(tmp_path, INDICATORS))
    assert people["population"].to_dict() == {"QN00201M": 5822, "QN00101M": 100}
    assert people.loc["QN00201M", "communes_published"] == ["02571", "02691"]
    assert people.loc["QN00201M", "lib_com_published"] == "Omy, Saint-Q"
    assert "surface" not in people.columns
    assert any("counted once" in note for note in notes(people))


def test_population_repeated_is_never_given_as_parts(tmp_path):
    with pytest.raises(DataError, match=r"repeats the population[\s\S]*level='qpv'"):
        read_population(write(tmp_path, INDICATORS), level="qpv_commune")


def test_rows_that_should_repeat_and_differ_are_listed(tmp_path):
    content = INDICATORS.replace("2,5822,49.8,2", "2,5823,49.8,2")
    with pytest.raises(DataError, match="population_part") as caught:
        read_population(write(tmp_path, content))
    assert caught.value.problems == ("QN00201M: 5,822 and 5,823",)


PARTS = (
    "codeQPV;libQPV;codeCom;libCom;popMuniQPV\n"
    "QN00201M;Europe;02571;Omy;22\n"
    "QN00201M;Europe;02691;Saint-Q;5800\n"
    "QN00101M;Les Saules;01053;Bourg;100\n"
)


def test_parts_by_commune_are_summed_to_the_qpv(tmp_path):
    people = read_population(write(tmp_path, PARTS, "pop_reference_communales_QPV24.csv"))
    assert people["population"].to_dict() == {"QN00201M": 5822, "QN00101M": 100}
    assert people.loc["QN00201M", "communes_published"] == ["02571", "02691"]


def test_parts_by_commune_keep_both_codes(tmp_path):
    parts = read_population(write(tmp_path, PARTS, "pop_reference_communales_QPV24.csv"), level="qpv_commune")
    assert parts.index.names == ["qpv_code", "commune"]
    assert parts["population"].to_dict() == {
        ("QN00201M", "02571"): 22,
        ("QN00201M", "02691"): 5800,
        ("QN00101M", "01053"): 100,
    }
    assert parts["census_year"].tolist() == [2020] * 3


def test_caller_can_say_that_rows_are_parts(tmp_path):
    path = write(tmp_path, PARTS)
    people = read_population(path, columns={"popMuniQPV": "population_part"})
    assert people.loc["QN00201M", "population"] == 5822


def test_sum_with_a_secret_part_is_not_known(tmp_path):
    content = PARTS.replace("Omy;22", "Omy;ns")
    people = read_population(write(tmp_path, content, "pop_reference_communales_QPV24.csv"))
    assert people["population"].tolist() == [pd.NA, 100]


def test_same_pair_twice_is_refused(tmp_path):
    content = PARTS + "QN00101M;Les Saules;01053;Bourg;50\n"
    for level in ("qpv", "qpv_commune"):
        with pytest.raises(DataError, match="QN00101M in 01053: 2 rows"):
            read_population(write(tmp_path, content, "pop_reference_communales_QPV24.csv"), level=level)


def test_name_decides_when_no_rows_differ_and_the_notes_say_so(tmp_path):
    content = "codeQPV;codeCom;popMuniCom\nQN00201M;02571;50\nQN00201M;02691;50\n"
    people = read_population(write(tmp_path, content))
    assert people["population"].tolist() == [100]
    assert "no QPV has rows that differ; read as parts by commune, as popMuniCom in table.csv says" in notes(people)


def test_qpv_of_several_communes_in_one_row_has_no_parts(tmp_path):
    content = 'code_qp,insee_com,pop_muni\nQN00201M,"02571, 02691",5822\nQN00101M,01053,100\n'
    with pytest.raises(DataError, match="QN00201M: 02571 and 02691"):
        read_population(write(tmp_path, content), level="qpv_commune")


def test_totals_are_left_out_and_counted(tmp_path):
    content = "qp;nom_qp;pop_muni_2018\n;Ensemble des quartiers;99\nTotal;;99\nQP001001;Ensemble Nord;12\n"
    people = read_population(write(tmp_path, content))
    assert people.index.tolist() == ["QP001001"]
    assert keys(people) == ["read.totals_left_out"]
    assert notes(people)[0].values == {"count": 2}


def test_codes_are_repaired_and_reported_or_refused(tmp_path):
    path = write(tmp_path, "qp;pop_muni_2018\nqp1001;12\n")
    people = read_population(path)
    assert people.index.tolist() == ["QP001001"]
    assert keys(people) == ["read.no_names", "read.codes_repaired"]
    with pytest.raises(DataError, match="row 3: 'QP0010'"):
        read_population(write(tmp_path, "qp;pop_muni_2018\nQP001001;12\nQP0010;3\n"))


def test_cells_that_are_no_number_are_all_listed(tmp_path):
    with pytest.raises(DataError) as caught:
        read_population(write(tmp_path, "qp;pop_muni_2018\nQP001001;about 12\nQP001002;-3\n"))
    assert caught.value.problems == ("row 2: 'about 12' is not a number", "row 3: -3 people")


LIST = "code_qp,nom_qp,pop_muni_2013,pop_muni_2018\nQP001001,Les Saules,10,20\nQP976001,Mangrove,30,40\n"


def test_table_of_several_years_asks_which(tmp_path):
    path = write(tmp_path, LIST)
    with pytest.raises(DataError, match=r"2013 and 2018[\s\S]*year="):
        read_population(path)
    with pytest.raises(DataError, match="no populations of 2020"):
        read_population(path, year=2020)
    people = read_population(path, year=2018)
    assert people["population"].tolist() == [20, 40]
    assert people["census_year"].tolist() == [2018, 2017]
    assert people["pop_muni_2013"].tolist() == [10, 30]


def test_year_that_nothing_states_is_asked_for(tmp_path):
    path = write(tmp_path, "qp;population\nQP001001;12\n")
    with pytest.raises(DataError, match="year="):
        read_population(path)
    assert read_population(path, year=2018).attrs["qpvgeo"]["reference_year"] == 2018


def test_two_geographies_in_one_table_are_refused(tmp_path):
    with pytest.raises(DataError, match="1 code of the 2024"):
        read_population(write(tmp_path, "code_qp;population\nQP001001;1\nQN00101M;2\n"), year=2018)


def test_headers_that_drift_are_named_by_the_caller(tmp_path):
    path = write(tmp_path, "Titre\nIdentifiant du QPV;Effectif 2018\nQP001001;12\n")
    people = read_population(path, columns={"Identifiant du QPV": "qpv_code", "effectif 2018": "population"}, year=2018)
    assert people["population"].tolist() == [12]


def test_level_that_does_not_exist_lists_the_levels(tmp_path):
    with pytest.raises(UsageError, match="qpv, qpv_commune and commune"):
        read_population(tmp_path, level="iris")


COMMUNES = {
    "2019": "REG;DEP;COM;PMUN;PCAP;PTOT\n84;01;01004;14;1;15\n04;974;97411;153;2;155\n",
    "2020": (
        "CODREG;REG;CODDEP;CODARR;CODCAN;CODCOM;COM;PMUN;PCAP;PTOT\n"
        "84;Rhône;01;2;08;004;Andelot;14;1;15\n04;La Réunion;974;1;99;411;Lagune;153;2;155\n"
    ),
    "2021": (
        "REG;Région;DEP;CODARR;CODCAN;CODCOM;COM;Commune;PMUN;PCAP;PTOT\n"
        "84;Rhône;01;2;08;004;01004;Andelot;14;1;15\n04;La Réunion;974;1;99;411;97411;Lagune;153;2;155\n"
    ),
}


@pytest.mark.parametrize("form", COMMUNES)
def test_legal_populations_in_their_three_forms(tmp_path, form):
    people = read_population(write(tmp_path, COMMUNES[form], "donnees_communes.csv"), level="commune", year=2021)
    assert people["population"].to_dict() == {"01004": 14, "97411": 153}
    assert people["reference_year"].tolist() == [2021, 2021]
    assert people["name_published"].dropna().tolist() == ([] if form == "2019" else ["Andelot", "Lagune"])


def test_legal_populations_in_the_zip_of_insee(tmp_path):
    path = tmp_path / "ensemble.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("donnees_departements.csv", "CODREG;REG;CODDEP;DEP;NBCOM;PMUN;PTOT\n84;R;01;Ain;391;9;9\n")
        archive.writestr("donnees_communes.csv", COMMUNES["2021"])
    people = read_population(path, level="commune")
    assert people["reference_year"].isna().all()
    assert people.attrs["qpvgeo"]["files"][0]["member"] == "donnees_communes.csv"


def test_fractional_people_are_rounded_and_the_difference_is_told(tmp_path):
    content = '"CODGEO";"LIBGEO";"P13_POP"\n"01001";"A";767\n"01002";"B";1634,99999999999\n"01004";"C";2,25\n'
    people = read_population(write(tmp_path, content), level="commune")
    assert people["population"].tolist() == [767, 1635, 2]
    assert people["population"].dtype == "Int64"
    assert people["reference_year"].tolist() == [2013] * 3
    assert notes(people) == ["2 fractional populations rounded to the nearest whole, largest difference 0.25"]
    assert notes(people)[0].say("fr").endswith("écart maximal 0,25")


def test_former_communes_and_arrondissements_are_not_counted_twice(tmp_path):
    content = (
        "code,nom,type,population\n75056,Paris,commune-actuelle,30\n75101,Paris 1er,arrondissement-municipal,10\n"
        "01033,Bel,commune-deleguee,5\n01033,Bel,commune-actuelle,8\n"
    )
    people = read_population(write(tmp_path, content), level="commune")
    assert people["population"].to_dict() == {"75056": 30, "01033": 8}
    assert keys(people) == ["read.former_left_out", "read.arrondissements_left_out"]


@pytest.mark.parametrize(("file", "level"), [("population_2024", "qpv"), ("population_2024_communes", "qpv_commune")])
def test_frame_and_provenance_survive_parquet(tmp_path, file, level):
    people = read_population(getattr(sample(), file), level=level)
    assert people.attrs["qpvgeo"]["fictional"]
    people.to_parquet(tmp_path / "people.parquet")
    back = pd.read_parquet(tmp_path / "people.parquet")
    assert back.attrs == people.attrs
    assert back["population"].equals(people["population"])
    assert back.index.equals(people.index)


def test_frame_written_to_parquet_can_be_read_as_a_table(tmp_path):
    people = read_population(sample().population_2015)
    people.to_parquet(tmp_path / "people.parquet")
    again = read_population(tmp_path / "people.parquet")
    assert again["population"].equals(people["population"])
    assert again["reference_year"].equals(people["reference_year"])


def test_both_tables_of_the_sample_agree():
    by_qpv = read_population(sample().population_2024)["population"]
    parts = read_population(sample().population_2024_communes, level="qpv_commune")["population"]
    assert parts.groupby(level="qpv_code").sum().equals(by_qpv.sort_index())


def total(people, territory="hexagone"):
    overseas = people.index.str[2:5].isin(["971", "972", "973", "974", "976", "978", "987"])
    return people.loc[~overseas if territory == "hexagone" else overseas, "population"].sum()


@pytest.mark.real
@pytest.mark.parametrize("suffix", ["csv", "xls"])
def test_real_populations_of_2013(real_data, suffix):
    people = read_population(real_data / "qpv2015" / f"pop_qp_2013.{suffix}")
    assert (len(people), people["population"].sum(), total(people)) == (1514, 5_435_060, 4_856_046)
    assert people.groupby("census_year", dropna=False).size().to_dict() == {2012: 36, 2013: 1400, pd.NA: 78}
    assert people["epci_published"].map(len).eq(2).sum() == 16


@pytest.mark.real
def test_real_csv_and_workbook_agree(real_data):
    csv, xls = (read_population(real_data / "qpv2015" / f"pop_qp_2013.{suffix}") for suffix in ("csv", "xls"))
    pd.testing.assert_frame_equal(csv, xls)


@pytest.mark.real
def test_real_indicators_repeat_the_population(real_data):
    people = read_population(real_data / "qpv2024" / "insee_indicateurs_qpv2024.csv")
    assert (len(people), total(people), people["population"].sum()) == (1518, 5_307_455, 5_931_940)
    assert people["census_year"].notna().sum() == 1362


@pytest.mark.real
def test_real_list_of_2015_by_year(reference):
    people = read_population(reference / "qpv2015_list.csv", year=2018)
    without = people[~people.index.str[2:5].isin(["978", "987"])]
    assert without["population"].sum() == 5_360_753
    assert total(people) == 4_829_250


@pytest.mark.real
def test_real_list_of_2024_keeps_qpv_without_population(reference):
    people = read_population(reference / "qpv2024_list.csv")
    assert (len(people), people["population"].isna().sum(), people["population"].sum()) == (1626, 108, 5_931_940)


@pytest.mark.real
def test_real_populations_of_communes(real_data):
    people = read_population(real_data / "qpv2015" / "P13_POP_insee.csv", level="commune", arrondissements="keep")
    assert (len(people), people["population"].sum()) == (36_683, 65_564_756)
    assert people.attrs["qpvgeo"]["reference_year"] == 2013


@pytest.mark.real
def test_real_arrondissements_are_folded(real_data):
    people = read_population(real_data / "qpv2015" / "P13_POP_insee.csv", level="commune")
    assert (len(people), people["population"].sum()) == (36_641, 65_564_756)
    assert people.loc["75056", "population"] == 2_229_621


def test_the_column_that_the_caller_names_is_taken_whatever_the_others(tmp_path):
    path = write(tmp_path, "code,pop_2013,pop_2018,evol_pop_pct\nQP001001,6056,6490,7.2\nQP001002,1830,1926,5.2\n")
    named = {"code": "qpv_code", "pop_2018": "population"}
    people = read_population(path, columns=named)
    assert (people["population"].tolist(), people["reference_year"].tolist()) == ([6490, 1926], [2018, 2018])
    assert read_population(path, columns=named, year=2018)["population"].tolist() == [6490, 1926]


def test_ways_out_of_errors_lead_out(tmp_path):
    path = write(tmp_path, "code_qp;pop_2013;pop_2018\nQP001001;6056;6490\n")
    key, error = key_of(lambda: read_population(path))
    assert (key, error.way_out.values) == ("read.several_years", {"year": 2018})
    assert read_population(path, **error.way_out.values)["population"].tolist() == [6490]
    path = write(tmp_path, "code_qp;pop_muni_2018;population_2018\nQP001001;6056;6490\n")
    key, error = key_of(lambda: read_population(path))
    assert key == "read.several_populations"
    for choice, people in zip(error.way_out.values["choices"], (6056, 6490), strict=True):
        assert read_population(path, columns=ast.literal_eval(choice))["population"].tolist() == [people]
    path = write(tmp_path, "code_qp;effectif\nQP001001;6056\n")
    key, error = key_of(lambda: read_population(path))
    assert (key, error.way_out.values["canonical"]) == ("read.no_population_column", "population")
    assert read_population(path, columns={"effectif": "population"}, year=2018)["population"].tolist() == [6056]
    path = write(tmp_path, "code_qp;population\nQP001001;6056\n")
    key, error = key_of(lambda: read_population(path))
    assert (key, error.way_out.key) == ("read.no_year", "read.give_year")
    assert read_population(path, year=2018)["population"].tolist() == [6056]
    path = write(
        tmp_path,
        "code_qp;code_com;pop_muni\nQN00201M;02571;5822\nQN00201M;02691;5823\nQN00101M;01053;9\nQN00101M;01054;9\n",
    )
    key, error = key_of(lambda: read_population(path))
    assert (key, error.way_out.key) == ("read.rows_differ", "read.parts_way_out")
    parts = read_population(path, columns={error.way_out.values["column"]: "population_part"})
    assert parts["population"].tolist() == [11_645, 18]


def test_labels_under_the_names_are_left_out(tmp_path):
    content = (
        "Source : Recensement 2010\n\nNOM_QP;qp;listcom;pop_mun\n"
        "Nom du quartier;Code du quartier;Code commune;Population\n"
        "Grande Reyssouze;QP001001;Bourg-en-Bresse;6000\nCroix Blanche;QP001002;Bourg-en-Bresse;1800\n"
    )
    people = read_population(write(tmp_path, content), year=2010)
    assert people["population"].to_dict() == {"QP001001": 6000, "QP001002": 1800}


def test_a_code_that_is_none_in_the_first_row_is_still_an_error(tmp_path):
    path = write(tmp_path, "qp;pop_mun_2018\nQuartier Nord;6000\nQP001002;1800\n")
    error = key_of(lambda: read_population(path))[1]
    assert len(error.problems) == 1


def test_sums_beyond_what_is_known_are_refused(tmp_path):
    path = write(tmp_path, "codgeo;libgeo;pmun;total_de_tout\n59350;Lille;3000000;1\n59009;Villeneuve;2000000;1\n")
    key, error = key_of(lambda: read_population(path, level="commune"))
    assert (key, error.problems[0].values["place"], error.problems[0].values["sum"]) == (
        "read.sums_impossible",
        "Nord",
        5_000_000,
    )
    path = write(tmp_path, "qp;pop_mun_2018\nQP059001;30000000\n")
    key, error = key_of(lambda: read_population(path))
    assert [one.key for one in error.problems] == ["read.sum_impossible", "read.sum_impossible_qpv"]


@pytest.mark.parametrize(
    ("header", "column"),
    [
        ("PMUN21", 2021),
        ("PSDC99", 1999),
        ("D99_POP", 1999),
        ("P06_POP", 2006),
        ("PMUN2022", 2022),
        ("pop_mun_18", 2018),
    ],
)
def test_names_of_populations_in_the_series_of_insee(tmp_path, header, column):
    path = write(tmp_path, f"CODGEO;LIBMIN;{header}\n01004;Ambérieu-en-Bugey;14000\n")
    people = read_population(path, level="commune")
    assert people.loc["01004"].tolist() == [14000, column, "Ambérieu-en-Bugey"]


def test_populations_of_the_epci_are_not_given_to_its_communes(tmp_path):
    path = write(
        tmp_path,
        "siren;nom;insee;nom_com;pmun\n245900410;MEL;59350;Lille;255000\n245900410;MEL;59009;Villeneuve;255000\n",
    )
    assert key_of(lambda: read_population(path, level="commune", year=2017))[0] == "read.populations_of_epci"


@pytest.mark.parametrize("column", ["id", "q", "CODE", "Code_du_qu", "code_quartier_prioritaire"])
def test_codes_are_known_by_their_values(tmp_path, column):
    people = read_population(write(tmp_path, f"rang;{column};pop_mun_2018\n1;QP974026;12\n2;QP974014;13\n"))
    assert people["population"].to_dict() == {"QP974026": 12, "QP974014": 13}


def test_frames_of_populations_join_those_of_perimeters():
    qpv = read_qpv(sample().qpv_2024)
    for path in (sample().population_2024, sample().population_2024_communes):
        joined = qpv.join(read_population(path))
        assert joined["population"].notna().any()
        assert joined["name_published"].fillna("").ne("").any()


def test_a_code_that_tables_kept_after_it_changed_is_followed(tmp_path):
    people = read_population(write(tmp_path, "CODGEO;LIBGEO;P13_POP\n14697;L'Oudon;1400\n01015;B;5\n"), level="commune")
    assert people["population"].to_dict() == {"14472": 1400, "01015": 5}
    assert keys(people) == ["read.code_followed"]
    both = read_population(write(tmp_path, "CODGEO;LIBGEO;P13_POP\n14697;A;1\n14472;B;5\n"), level="commune")
    assert both.index.tolist() == ["14697", "14472"]


ENSEMBLE = "CODREG;REG;CODDEP;DEP;CODARR;CODCAN;CODCOM;COM;PMUN;PCAP;PTOT\n99;L;99;L;1;01;001;Port;806;14;820\n"


@pytest.mark.parametrize(("folder", "year"), [("2019", 2019), ("2021", 2021), ("mine", None)])
def test_year_of_a_table_published_under_one_name_is_that_of_its_folder(tmp_path, folder, year):
    path = tmp_path / folder / "donnees_communes.csv"
    path.parent.mkdir()
    path.write_text(ENSEMBLE, encoding="utf-8")
    people = read_population(path, level="commune")
    assert people.attrs["qpvgeo"]["reference_year"] == year
    told = [note.values for note in people.attrs["qpvgeo"]["notes"] if note.key == "read.year_of_folder"]
    assert told == ([{"year": year}] if year else [])
