"""Faults of the store: real processes killed, racing or without disk, and files damaged byte by byte.

Every procedure compares the ids that a writer acknowledged on a pipe with those that a fresh opener reads
back, and runs a second time on TinyDB's own JSONStorage, where it has to go red: a procedure that cannot
tell the two apart proves nothing.
"""
