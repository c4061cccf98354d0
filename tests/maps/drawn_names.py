"""Names that a map shows."""


def names_on(ax):
    """Names that have found room, once the axes are drawn."""
    ax.figure.draw_without_rendering()
    return [text for text in ax.texts if text.get_zorder() == 10 and text.get_visible()]


def named(qpv, **about):
    """Perimeters that are not those of the sample."""
    qpv = qpv.copy()
    qpv.attrs["qpvgeo"] = {**qpv.attrs["qpvgeo"], "fictional": False, **about}
    return qpv
