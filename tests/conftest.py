"""Settings of all tests: how many run at once, and of the property tests.

`HYPOTHESIS_PROFILE=thorough pytest tests/core` for long runs.
"""

import gc
import os

from hypothesis import HealthCheck, settings

settings.register_profile(
    "default",
    deadline=None,
    max_examples=100,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile("thorough", settings.get_profile("default"), max_examples=5_000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))


def pytest_collection_finish() -> None:
    """Look for no garbage among what is loaded by now, as the app does after its start."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


def pytest_xdist_auto_num_workers() -> int:
    """Run two tests a core: those of the app and of commands wait for half of their time."""
    return 2 * (os.cpu_count() or 1)
