"""`python -m hfreg`: the command line."""

from hfreg.cli import entry

entry()
