"""`python -m regtui` and the `regtui` command."""

import gc

# Importing makes many objects and no garbage; collecting meanwhile costs a cold command some 5 %.
gc.set_threshold(100_000, 20, 20)

from regtui.cli.main import main  # noqa: E402 -- after the threshold is set

if __name__ == "__main__":
    main()
