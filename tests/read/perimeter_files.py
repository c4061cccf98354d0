"""Perimeters written in small files."""


def about(frame):
    return frame.attrs["qpvgeo"]


def noted(frame, text):
    return [note for note in about(frame)["notes"] if text in note]
