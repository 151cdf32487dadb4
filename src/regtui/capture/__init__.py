"""Capture: what trainers leave in their folders, and what is known of their runs.

The promise: every state that a trainer finishes becomes a version exactly once, with the right
files; nothing half-written ever does; the trainer's files keep content, mode, dates and names.

The algorithm: a folder is walked (`listing`) whenever an event or a timer says that it may be
worth it (`waking`); by names alone, what is there is made into units (`recogniser`, `recognise`).
Each state of a unit is a `generation`: its files are pinned when they are first seen (`pins`), so
that it can be finished though its trainer removes it. It is ready when nobody writes it
(`writers`), its formats say that nothing is missing (`complete`), and it has not changed for a
moment. `watcher` carries that through for one folder, and remembers what is done (`memory`).
`watching` is the loop over all of them: one thread looks and pins, another one reads (`readers`,
`run_files`, `beside`, `sealing`), decides by the keep rules (`keep`) and registers, which is the
business of `regtui.registry`. Whatever happens is told (`events`).

What is not promised: a state that comes and goes between two walks was never seen. A rewrite that
keeps size and date of a file is not seen. Where neither the kernel tells who writes nor a format
where it ends, a writer that stalls for longer than the quiet time looks as if it had finished.
"""
