"""The dossier of a model or version: all that is known of it, on one page that can be handed on.

`of_version.py` and `of_model.py` gather what this registry knows, with or without a network, as
*blocks* (`blocks.py`): facts, tables, paragraphs, a card. `markdown.py` and `html.py` write blocks
down. Whatever a name, a text or a card holds, it is only ever text: nothing of it is loaded or run
by whoever opens the page, and the page refers to nothing outside of itself.
"""
