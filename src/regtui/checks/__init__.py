"""Checks: whether a version is what it should be, tried by a command or by what is built in.

A check always ends with an outcome: `passed`; `failed`, where it says no; `timeout`; and `error`,
where it could say neither because it could not begin, was killed, or ran out of memory. What a
command does to its runner is bounded in every way that a process without privileges can:

- *time*: it is told to end (SIGTERM to its group), and two seconds later everything that it started
  is killed;
- *processes*: it runs below a supervisor (`supervisor.py`), a process of its own that the system
  makes the parent of whatever the command leaves behind. The supervisor kills all of that, also
  when the command ends by itself, and when whoever asked for the check is killed. What still
  escapes is found by a token in its environment (`command.py`);
- *output*: a pipe that is always drained, of which the first 64 KiB and the last 192 KiB are kept
  (`bounded_log.py`);
- *memory*: a limit on what each process may have, and on what all of them use together.

What is not promised: a check is no sandbox. It runs as who runs it, may read what he may read, and
write what he may write. That is why a definition that came from somebody else runs only after the
owner of the machine has trusted it (`regtui.registry.check_trust`), and why a command does not run
in the folder of the version's files, whose modules Python would import.

The checks that are built in (`builtin.py`) run no foreign code.
"""
