"""`python -m regtui` and the `regtui` command."""

from regtui.cli.main import main

if __name__ == "__main__":
    main()
