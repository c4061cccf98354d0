"""Maps that people print: one function a question, axes in and axes out.

Every map is in the legal projection of its territory and carries a title, a scale, a legend, its source line and, on
the sample, the word that it is fictional. Nothing global of matplotlib is changed.

Legends stand to the right of their axes, and the frames of `france` on both sides: axes of your own need a layout that
leaves them room, `plt.subplots(1, 2, layout="constrained")`. Names are placed when a figure is drawn.
"""

from qpvgeo.maps.basemaps import basemap
from qpvgeo.maps.bivariate_maps import bivariate
from qpvgeo.maps.change_maps import change
from qpvgeo.maps.choropleths import choropleth
from qpvgeo.maps.country_map import france
from qpvgeo.maps.designation_maps import agreement, zones
from qpvgeo.maps.export import save
from qpvgeo.maps.grid_maps import grid
from qpvgeo.maps.interactive.pages import Page, page
from qpvgeo.maps.pictures import profile, programmes, sensitivity
from qpvgeo.maps.places import Place, find_place
from qpvgeo.maps.population_maps import estimates
from qpvgeo.maps.qpv_maps import qpv
from qpvgeo.maps.tag_maps import tags

__all__ = [
    "Page",
    "Place",
    "agreement",
    "basemap",
    "bivariate",
    "change",
    "choropleth",
    "estimates",
    "find_place",
    "france",
    "grid",
    "page",
    "profile",
    "programmes",
    "qpv",
    "save",
    "sensitivity",
    "tags",
    "zones",
]
