"""Isolated: loaded models as confined processes, apart from the one that serves the page."""
