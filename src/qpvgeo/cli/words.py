"""French for the tables of the command line.

Whole phrases first; the sentences that the library composes are translated piece by piece, on their fixed words. A
phrase that is not here stays in English: better than half a translation.
"""

import re
from collections.abc import Callable

__all__ = ["say"]

_PHRASES = {
    "Source:": "Source :",
    "Territory": "Territoire",
    "QPV": "QPV",
    "People in QPV": "Habitants en QPV",
    "census": "recensement",
    "Population": "Population",
    "Share": "Part",
    "QPV km2": "km2 en QPV",
    "Note": "Note",
    "Code": "Code",
    "Name": "Nom",
    "Key": "Clé",
    "Kind": "Nature",
    "Vintage": "Millésime",
    "Format": "Format",
    "MB": "Mo",
    "At hand": "Sur le disque",
    "Record": "Enreg.",
    "Problem": "Problème",
    "Action": "Suite",
    "release": "version",
    "basis: published": "base : chiffres publiés",
    "basis: computed": "base : calcul sur les fichiers",
    "QPV, geography of": "QPV, géographie",
    "geography of": "géographie",
    "million": "millions",
    "people": "habitants",
    "reference year": "année de référence",
    "their people are not known": "leur population n'est pas connue",
    "inhabitants": "habitants",
    "scope:": "champ :",
    "Hexagone and the five overseas departments": "Hexagone et cinq départements d'outre-mer",
    "All territories of the source": "Ensemble des territoires de la source",
    "Sample (fictional)": "Exemple (fictif)",
    "QPV by commune": "QPV par commune",
    "QPV by epci": "QPV par EPCI",
    "QPV by ept": "QPV par EPT, par EPCI hors Grand Paris",
    "QPV by department": "QPV par département",
    "QPV by region": "QPV par région",
    "QPV by territory": "QPV par territoire",
    "A QPV counts in each unit it lies in: numbers do not add up, people do.": (
        "Un QPV compte dans chaque unité qu'il touche : les nombres ne s'additionnent pas, les habitants si."
    ),
    "Fictional data: the sample of qpvgeo describes no real place.": (
        "Données fictives : l'exemple de qpvgeo ne décrit aucun lieu réel."
    ),
    "addresses": "adresses",
    "boundaries": "limites",
    "communes": "communes",
    "communes table": "table de communes",
    "communes population": "populations communales",
    "commune events": "événements sur les communes",
    "correspondence": "correspondance",
    "epci": "EPCI",
    "grid": "carreaux",
    "income": "revenus",
    "list": "liste",
    "outlines": "contours",
    "perimeters": "périmètres",
    "points": "points",
    "population": "populations",
    "population by commune": "populations par commune",
    "unknown": "inconnu",
    "not had": "non obtenu",
    "usable": "utilisable",
    "not usable as it is": "inutilisable en l'état",
    "not a published file, left aside": "pas un fichier publié, laissé de côté",
    "records": "enregistrements",
    "more: use --json to see them all": "autres : --json les donne tous",
    "made valid when read": "rendu valide à la lecture",
    "left as published": "laissé tel que publié",
    "get another copy of the file": "prendre une autre copie du fichier",
    "correct the code": "corriger le code",
    "look whether the file is an extract": "vérifier si le fichier est un extrait",
    "look which one is right": "chercher lequel est juste",
    "download the file again": "télécharger de nouveau le fichier",
    "done when read": "fait à la lecture",
    "read so": "lu ainsi",
    "invalid outlines made valid, area changed by": "contours invalides rendus valides, surface changée de",
    "People of the grid (fiscal households)": "Habitants des carreaux (ménages fiscaux)",
    "At least": "Au moins",
    "Estimate": "Estimation",
    "At most": "Au plus",
    "Poverty": "Pauvreté",
    "Mean living standard": "Niveau de vie moyen",
    "Imputed": "Imputés",
    "Cells": "Carreaux",
    "Reliability": "Fiabilité",
    "method:": "méthode :",
    "not met:": "non atteints :",
    "Published totals met after": "Totaux publiés atteints en",
    "rounds": "tours",
    "Written to": "Écrit dans",
    "Living standard is a winsorised mean in euros a year, never a median. Rates are ratios of sums.": (
        "Le niveau de vie est une moyenne winsorisée en euros par an, jamais une médiane. "
        "Les taux sont des rapports de sommes."
    ),
    "year not known": "année inconnue",
    "mostly by area, for want of points": "surtout selon la surface, faute de points",
    "few households": "peu de ménages",
    "rates not given under 30 households": "taux non donnés sous 30 ménages",
    "mostly imputed": "surtout imputé",
    "mostly edge": "surtout en bordure",
    "no grid": "pas de carreaux",
    "partly cells the grid does not have": "en partie des carreaux absents de la grille",
    "no cell of the grid under it": "aucun carreau de la grille dessous",
    "no outline": "pas de contour",
    "few people": "peu d'habitants",
    "rates not given under 60 people": "taux non donnés sous 60 habitants",
    "mostly cells the grid does not have": "surtout des carreaux absents de la grille",
    "by its content": "à son contenu",
    "Points": "Points",
    "Number": "Nombre",
    "rows": "lignes",
    "In a QPV": "Dans un QPV",
    "Out": "Hors QPV",
    "Out, within": "Hors QPV, à moins de",
    "Out, from": "Hors QPV, de",
    "to": "à",
    "Out, beyond": "Hors QPV, à plus de",
    "Unknown": "Inconnu",
    "rows were tagged before": "lignes étaient déjà traitées",
    "Nothing was written: name a file with --output to have each row.": (
        "Rien n'est écrit : nommer un fichier avec --output pour avoir chaque ligne."
    ),
    "no coordinates": "pas de coordonnées",
    "coordinates are no numbers": "coordonnées qui ne sont pas des nombres",
    "not finite": "coordonnées infinies",
    "latitude and longitude look swapped": "latitude et longitude semblent inversées",
    "outside France": "hors de France",
    "location too coarse": "localisation trop grossière",
    "near the limit": "près de la limite",
    "no perimeters of this territory": "pas de périmètres de ce territoire",
    "no perimeters of the geography of that day": "pas de périmètres de la géographie de ce jour",
    "geography of that day not known": "géographie de ce jour inconnue",
    "there is no run to go on with: the run starts at the first row": (
        "il n'y a pas de passage à reprendre : celui-ci part de la première ligne"
    ),
    "what was kept of an earlier run cannot be read: the run starts at the first row": (
        "ce qui restait d'un passage précédent est illisible : celui-ci part de la première ligne"
    ),
    "row cannot be read": "ligne illisible",
    "Grand Paris, EPT not known": "Grand Paris, EPT inconnu",
    "placed in no unit": "rattaché à aucune unité",
    "From the geography of 2015 to that of 2024": "De la géographie de 2015 à celle de 2024",
    "pairs": "paires",
    ":": "\u00a0:",
    "What became of it": "Devenir",
    "kept": "conservé",
    "grown": "agrandi",
    "shrunk": "réduit",
    "reshaped": "remodelé",
    "split": "scindé",
    "merged": "fusionné",
    "new": "nouveau",
    "dropped": "sorti",
    "households": "ménages",
    "Uncovered of": "Non couvert de",
    "What is nowhere wider than": "Ce qui ne dépasse nulle part",
    "is no change.": "de large n'est pas un changement.",
    "Disagreements with the official list:": "Désaccords avec la liste officielle :",
    "Without an outline:": "Sans contour :",
    "listed, and shares no ground": "dans la liste, sans sol commun",
    "listed, and shares 5% or less": "dans la liste, 5 % de sol commun ou moins",
    "shares ground, and is not listed": "sol commun, absent de la liste",
    "listed, and has no perimeter": "dans la liste, sans périmètre",
    "has a perimeter, and is not listed": "périmètre absent de la liste",
    "called new, and has ancestors on the ground": "dit nouveau, avec des ancêtres sur le terrain",
    "called unchanged, and changed": "dit inchangé, et changé",
    "called modified, and did not change": "dit modifié, et inchangé",
    "called modified, and has no ancestor on the ground": "dit modifié, sans ancêtre sur le terrain",
    "letter and status disagree": "la lettre et le statut se contredisent",
}


def _counted(template: str) -> Callable[[re.Match[str]], str]:
    """French for a sentence with counts: a comma sets thousands apart in English, and decimals in French."""
    return lambda found: template.format(*(part.replace(",", "\u202f") for part in found.groups("")))


_LATER = ": a point outside of them may lie in another"
_AUTRE = " : un point hors d'eux peut être dans un autre"

_PIECES: list[tuple[str, str | Callable[[re.Match[str]], str]]] = [
    (r"no denominator for", "pas de dénominateur pour"),
    (r"no population for (\d+) QPV", r"pas de population pour \1 QPV"),
    (r"census of the people not stated for", "recensement des habitants non indiqué pour"),
    (r"census of the people not stated", "recensement des habitants non indiqué"),
    (r"over that of (\d+)", r"sur celui de \1"),
    (r"over the population given", "sur la population donnée"),
    (r"it would be", "ce serait"),
    (r"(\d+) stands for (\d+)", r"\1 tient lieu de \2"),
    (r"population of the unit: census not stated", "population de l'unité : recensement non indiqué"),
    (r"population of the unit: census of (\d+)", r"population de l'unité : recensement de \1"),
    (r"people in QPV: those of (\d+)", r"habitants en QPV : ceux de \1"),
    (r"people in QPV: year not stated", "habitants en QPV : année non indiquée"),
    (r"people shared out by area between units", "habitants répartis entre unités selon la surface"),
    (r"area without (\d+) QPV that have no outline", r"surface sans \1 QPV qui n'ont pas de contour"),
    (r": census of (\d+)", r" : recensement de \1"),
    (r"(\d+) of the (\d+) QPV of", r"\1 des \2 QPV de"),
    (r"(of the [\d,]+) or ([\d,]+ perimeters of)", r"\1 ou \2"),
    (
        rf"([\d,]+) of the ([\d, ou]+) perimeters of (.+?) \((\d+)\) are given{_LATER}",
        _counted("{} des {} périmètres de {} ({}) sont donnés" + _AUTRE),
    ),
    (
        rf"1 of the ([\d, ou]+) perimeters of (.+?) \((\d+)\) is given{_LATER}",
        _counted("1 des {} périmètres de {} ({}) est donné" + _AUTRE),
    ),
    (r"([\d,]+) of ([\d,]+) points lie outside France", _counted("{} points sur {} sont hors de France")),
    (
        r": crs=(\S+) says metres and the values look like degrees",
        r" : crs=\1 dit des mètres, et les valeurs ressemblent à des degrés",
    ),
    (
        r": crs=(\S+) says degrees and the values look like metres",
        r" : crs=\1 dit des degrés, et les valeurs ressemblent à des mètres",
    ),
    (r", where crs=(.+) puts them", r", là où crs=\1 les place"),
    (
        r"([\d,]+) points? ha(?:s|ve) a tolerance that is no distance \(missing, below zero, no number\): too coarse",
        _counted(
            "tolérances qui ne sont pas des distances (absentes, négatives, pas des nombres) : {}, trop grossières"
        ),
    ),
    (
        r"([\d,]+) points? ha(?:s|ve) a tolerance beyond the ([\d,.]+) m that can be told: too coarse",
        _counted("tolérances au-delà des {1} m qui peuvent être dits : {0}, trop grossières"),
    ),
    (
        r"([\d,]+) lines? (?:are|is) not UTF-8 and (?:were|was) read as cp1252",
        _counted("lignes lues en cp1252, faute d'être en UTF-8 : {}"),
    ),
    (
        r"(\d+) perimeters? ha(?:s|ve) no outline in this file: nothing is found in or near",
        r"périmètres sans contour dans ce fichier : \1 ; rien n'est trouvé dedans ni auprès de",
    ),
]


def say(text: str, lang: str) -> str:
    """Give a phrase in a language.

    Examples
    --------
    >>> say("no population for 3 QPV (Saint-Martin)", "fr")
    'pas de population pour 3 QPV (Saint-Martin)'
    >>> say("Share", "en")
    'Share'
    """
    if lang != "fr" or not text:
        return text
    if text in _PHRASES:
        return _PHRASES[text]
    for pattern, french in _PIECES:
        text = re.sub(pattern, french, text)
    return re.sub(r"(\d)\.(\d+)%", r"\1,\2 %", text)
