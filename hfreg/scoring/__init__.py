"""Scoring: what the platform does with the source that a model developer writes.

Rooms: `syntax` reads a source and makes it the body of a function, `compile` makes that function real,
`check` says what is wrong with it without running it, `libraries` gives it its versions of the model
libraries and keeps what it loads. Running it, with limits and slots, is the engine's.
"""
