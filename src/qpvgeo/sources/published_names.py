"""Names under which published tables give the same thing, and how a column is known by them.

The same code is `qp`, `codeQPV` or `Code du quartier prioritaire`; shapefiles cut that last name to `Code_du_qu`. Names
are compared without case, accents or separators; a name of exactly ten characters may be the beginning of a longer one.
"""

import re
from collections.abc import Iterable, Mapping, Sequence

from qpvgeo.formats.text_tables import normalise

__all__ = [
    "COMMUNE_CODE",
    "COMMUNE_NAME",
    "COMMUNE_TYPE",
    "NAMES",
    "QPV_CODE",
    "QPV_NAME",
    "column_of",
    "named",
]

QPV_CODE = (
    "qpv_code",
    "codeqpv",
    "code_qpv",
    "code_qp",
    "codeqp",
    "qp",
    "qpv",
    "qp2024",
    "qp2015",
    "code_quartier",
    "code_quartier_prioritaire",
    "id_qpv",
    "id_qp",
    "num_qpv",
    "codgeo",
    "Code du quartier de la politique de la ville",
    "Code du quartier prioritaire",
)

_QPV_NAME_FORM = re.compile(
    r"(?:nom|lib|libelle|label|intitule|name|denomination)_?(?:officiel_)?(?:d[ue]_|de_la_)?(?:qp\w*|quartier\w*|qu(?:a(?:r(?:t(?:ie?)?)?)?)?)"
)
QPV_NAME = (
    "name",
    "libqpv",
    "lib_qpv",
    "lib_qp",
    "nom_qp",
    "nom_qpv",
    "nom_quartier",
    "Nom du quartier de la politique de la ville",
    "Nom du quartier prioritaire",
    "libgeo",
    "quartier_prioritaire",
    "qpv_nom",
    "qp_nom",
    "quartier_nom",
    "nom_zone",
    "nom_zonage",
    "quartier",
    "intitule",
    "denomination",
    "designation",
    "appellation",
    "libelle",
    "nom",
    "lib",
    "label",
)
_ANY_NAME = {"quartier", "intitule", "denomination", "designation", "appellation", "libelle", "nom", "lib", "label"}

COMMUNE_CODE = (
    "codgeo",
    "code_insee",
    "code_commune",
    "codecommune",
    "codecom",
    "insee_com",
    "depcom",
    "com_comer",
    "code_insee_de_la_commune",
    "code_insee_commune",
    "code_commune_insee",
    "code_geographique",
    "codeinsee",
    "insee_commune",
    "cog",
    "com",
    "insee",
    "code",
    "commune",
)

_COMMUNE_CODE_FORM = re.compile(
    r"(?:codes?|cod|c|n|num|numero|id)_?(?:officiel_|geo_|geographique_)?(?:de_la_|du_|de_)?"
    r"(?:insee|communes?|com|depcom|membre|ville|commune_actuelle)(?:_(?:insee|commune|com|membre|cog|geo|de_la_commune))*"
    r"|insee(?:_(?:code|membre|comm?|commune|geo))+|(?:com|commune)_(?:insee|code|cog)|depcom\w*|dc_?codgeo|geo|codgeo\w*"
)
COMMUNE_NAME = (
    "name",
    "libgeo",
    "lib_com",
    "libcom",
    "nom_officiel",
    "nom_commune",
    "nom_com",
    "nom_comm",
    "nomcom",
    "nom_membre",
    "libelle_membre",
    "nom_de_la_commune_membre",
    "commune_membre",
    "nom_standard",
    "libelle",
    "libmin",
    "libelle_commune",
    "lib_commune",
    "libelle_geographique",
    "nom_de_la_commune",
    "nom",
    "nccenr",
    "commune",
    "com",
)

COMMUNE_TYPE = ("type", "typecom", "type_com", "typ_com", "actual")

NAMES: Mapping[str, tuple[str, ...]] = {
    # "codgeo" names communes too: a layer with it is one of QPV only when its codes are
    "qpv_code": tuple(name for name in QPV_CODE if name != "codgeo"),
    "name": QPV_NAME,
    "communes": (
        "communes",
        "insee_com",
        "listedepcom",
        "list_com_2025",
        "list_com_2024",
        "code_commune",
        "code_insee",
        "code_communes",
        "codes_communes",
        "liste_com",
        "depcom",
        "cog",
    ),
    "commune_names": (
        "commune_names",
        "lib_com",
        "commune_qp",
        "liste_des_communes",
        "liste_communes",
        "nom_commune",
        "nom_com",
        "nom_communes",
        "libcom",
        "communes",
        "commune",
    ),
}
"""Published names of the columns that become canonical ones, best first; case and accents do not matter."""

_CUT = 10
"""Characters that a shapefile keeps of the name of a column."""


def named(fields: Iterable[object], names: Sequence[str]) -> list[str]:
    """Fields that have one of some names, in the order of the names; whole names before those cut to ten characters.

    Examples
    --------
    >>> named(["Nom_du_qua", "CODE_QP", "Code_du_qu"], ["code_qp", "Code du quartier prioritaire"])
    ['CODE_QP', 'Code_du_qu']
    """
    bare: dict[str, str] = {}
    for field in map(str, fields):
        bare.setdefault(normalise(field), field)
    wanted = list(map(normalise, names))
    found = [bare[name] for name in wanted if name in bare]
    cut = {form: field for form, field in bare.items() if len(field) == _CUT}
    found += [field for name in wanted for form, field in cut.items() if len(name) > _CUT and name.startswith(form)]
    if names is QPV_NAME:
        lead = [field for form, field in bare.items() if _QPV_NAME_FORM.fullmatch(form) and field not in found]
        found = [*(field for field in found if normalise(field) not in _ANY_NAME), *lead, *found]
    if names is COMMUNE_CODE:
        found += [field for form, field in bare.items() if _COMMUNE_CODE_FORM.fullmatch(form)]
    return list(dict.fromkeys(found))


def column_of(fields: Sequence[str], canonical: str, given: Mapping[str, str] | None = None) -> str | None:
    """Published column that holds what a canonical one does, whatever its case; None when there is none.

    Examples
    --------
    >>> column_of(["CODE_QP", "nomQpv"], "qpv_code"), column_of(["CODE_QP", "nomQpv"], "name")
    ('CODE_QP', 'nomQpv')
    """
    renamed = {canonical: name for name, canonical in (given or {}).items()}
    if renamed.get(canonical) in fields:
        return renamed[canonical]
    return next(iter(named(fields, NAMES[canonical])), None)
