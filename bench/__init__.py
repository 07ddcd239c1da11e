"""Benchmarks: one script for each figure, measured beside a peer in the same run.

`python -m bench` runs all, `python -m bench warm_call` one. Results go to bench/results/, with commit, machine and
versions. They are no tests: tests/test_bench.py only holds that each script still runs.
"""
