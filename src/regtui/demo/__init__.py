"""The demo: a sample registry of small models that are really trained, here and now."""
