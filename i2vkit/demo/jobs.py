"""The work of all visitors: results in folders of their own, and buttons that cancel."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from i2vkit.demo.animating import Job
from i2vkit.demo.models import Shelf
from i2vkit.media import iterate_video, video_fps, write_video
from i2vkit.zoo.index import read_index
from i2vkit.zoo.showing import DRIVING, FACE, FIGURE, FIGURE_DRIVING

KEPT_SECONDS = 3600  # after which a result is deleted


class JobBook:
    """The jobs of all visitors.

    Args:
        folder: The folder of the results. Only files in it are served.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "results"
        self.folder.mkdir(parents=True, exist_ok=True)
        self._open: dict[tuple[str, str], Job] = {}

    def begin(self, visitor: str, tab: str, on_progress: Callable[[float, str], Any]) -> Job:
        """Return a new job of a visitor, in place of an older one of the same tab, which is cancelled."""
        self.cancel(visitor, tab)
        self._remove_old()
        job = Job(self.folder, on_progress)
        self._open[visitor, tab] = job
        return job

    def cancel(self, visitor: str, tab: str) -> bool:
        """Cancel the job of a visitor. Return False if there is none."""
        job = self._open.pop((visitor, tab), None)
        if job is not None:
            job.cancelled.set()
        return job is not None

    def end(self, visitor: str, tab: str, job: Job) -> None:
        """Forget a job that has ended."""
        if self._open.get((visitor, tab)) is job:
            del self._open[visitor, tab]

    def leave(self, visitor: str) -> None:
        """Cancel all jobs of a visitor who has closed the page."""
        for of, tab in [key for key in list(self._open) if key[0] == visitor]:
            self.cancel(of, tab)

    def _remove_old(self) -> None:
        for made in self.folder.iterdir():
            if made.stat().st_mtime < time.time() - KEPT_SECONDS:
                shutil.rmtree(made, ignore_errors=True)


def write_examples(folder: Path, shelf: Shelf) -> list[list[str]]:
    """Write the shipped synthetic examples as files that browsers show, and return model, image and clip of each.

    Args:
        folder: The folder to write to.
        shelf: The models. An example is left out if all of them were trained on other pictures.
    """
    shipped = read_index()
    others = [name for name in shelf.models if name not in shipped]  # which may have been trained on anything
    examples = []
    for kind, image, driving in (("faces", FACE, DRIVING), ("weizmann", FIGURE, FIGURE_DRIVING)):
        name = next((name for name in shelf.models if name in others or name.endswith(f"-{kind}")), None)
        if name is None:
            continue
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(image, folder / image.name)
        clip = folder / f"{driving.stem}.mp4"
        write_video(clip, iterate_video(driving), video_fps(driving) or 7.0)
        examples.append([name, str(folder / image.name), str(clip)])
    return examples
