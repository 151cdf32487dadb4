"""Benchmarks: every figure beside a baseline that was measured in the same run.

`python -m benchmarks [sizes…]` prints one table. `registry_data` makes the registries, `measuring`
runs processes and calls, and each group of rows stands in a module of its own.
"""
