"""Comparison: what the compare screen shows and exports, as values without any widget.

`content.py` keeps of a diff what a table needs, `rows.py` builds the table, `words.py` says a cell
in a sentence, `markdown.py` writes the table as a file, `plot.py` chooses the curves.
"""
