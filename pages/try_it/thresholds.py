"""Threshold studio: choose the threshold of a model from a table with the truth, and save it with the evidence."""

from hfreg.ui import session, thresholds, widgets

widgets.title(
    "Threshold studio", "Choose the threshold of a model by what its errors cost, from a table with the truth."
)
thresholds.draw(session.registry())
