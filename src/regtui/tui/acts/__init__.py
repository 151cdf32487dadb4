"""What actions on models and versions do: ask, act, tell. One module for verbs that go together."""
