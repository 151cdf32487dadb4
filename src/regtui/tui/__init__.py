"""The app: the registry on a terminal."""
