"""Comparison: hold simulations of one table against each other, and keep what came of it."""

from hfreg.ui import comparison, session, widgets

widgets.title("Comparison", "Hold a champion and its challengers against each other on one table with the truth.")
comparison.draw(session.registry())
