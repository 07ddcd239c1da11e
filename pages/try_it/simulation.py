"""Simulation: run a table through a registered model, and see what came of it."""

from hfreg.ui import session, simulation, widgets

widgets.title("Simulation", "Run a table through a registered model, row by row, and see what came of it.")
simulation.draw(session.registry())
