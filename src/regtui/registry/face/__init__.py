"""The face: the methods of `Registry`, by topic.

Each method imports the module of its verb and calls it, so a cold command loads the verb that it
runs and no other. No logic stands here; a new verb is a module of `regtui.registry` and a method
in the class of its topic.
"""
