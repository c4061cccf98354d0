"""Notes of the readers of communes."""


def notes(frame):
    return frame.attrs["qpvgeo"]["notes"]
