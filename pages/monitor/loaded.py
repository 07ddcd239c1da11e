"""Loaded models: what is in memory, what it takes of it, and what may go."""

from hfreg.ui import loaded, session, widgets

widgets.title("Loaded models", "What is in memory now, what it takes of it, and what may go.")
loaded.draw(session.registry())
