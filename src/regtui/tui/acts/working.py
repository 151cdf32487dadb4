"""Working: file work that takes a while, with its progress in sight and a way to stop it."""

from typing import TYPE_CHECKING, TypeVar

from regtui.tui.acts.asking import ask
from regtui.tui.jobs import Job, Stopped
from regtui.tui.screens.working import Working

if TYPE_CHECKING:
    from regtui.tui.app import RegtuiApp

T = TypeVar("T")

PATIENCE = 0.3
"""Seconds before progress is shown: what is done by then needs none."""


async def worked(app: "RegtuiApp", title: str, job: Job[T], comfort: str) -> T | None:
    """Do a job; None where it failed or was stopped, which is shown.

    Args:
        app: The app.
        title: What is being done.
        job: The job.
        comfort: What is said of a job that was stopped, such as that nothing was written.
    """
    job.start()
    try:
        if not await job.wait(PATIENCE):
            await ask(app, Working(title, job))
        return await job.result()
    except Stopped:
        app.notify(f"stopped: {comfort}", severity="warning")
    except Exception as error:  # noqa: BLE001 -- shown, whatever it is
        app.show_error(error)
    finally:
        job.stop()  # where the app ends meanwhile
    return None
