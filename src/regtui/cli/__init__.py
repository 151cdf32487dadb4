"""The command line: one module a group of commands, no logic of its own.

`main` runs the command and turns errors into one line and an exit code; `lazy` loads only the
module of the command that runs; what a command does is one call of `regtui.registry`.
"""
