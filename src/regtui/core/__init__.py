"""The domain: entities, operations and their judgement.

Everything here is pure: values in, values out. No input or output, no clock, no randomness, and
nothing of ours from outside this package, so that a replica and a server that run the same
functions reach the same state. An import contract in `pyproject.toml` holds it to that.
"""
