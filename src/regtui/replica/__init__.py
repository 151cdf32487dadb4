"""The replica: a registry in one DuckDB file that many processes share.

Nobody holds the file open. A *unit of work* locks, opens, does its work in one transaction, closes
and unlocks; `locks` makes the queue fair, `database` is the only place that knows DuckDB's module,
`authority` judges and writes operations, `view` answers what judging asks, `projection` turns
documents into the typed tables that queries read.
"""
