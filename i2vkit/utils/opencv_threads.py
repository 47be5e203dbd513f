"""OpenCV's threads, which a forked process does not have, so that it would wait for them for ever."""

from __future__ import annotations

import os

import cv2

_number = 0


def stop_threads_at_forks() -> None:
    """Let OpenCV end its threads before this process forks, and start them anew after that, when it needs them.

    The workers of a data loader are forked. Without this they hang if OpenCV has worked on a large picture before.
    """
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(before=_stop, after_in_parent=_allow)


def _stop() -> None:
    global _number
    _number = cv2.getNumThreads()
    cv2.setNumThreads(0)


def _allow() -> None:
    cv2.setNumThreads(_number)
