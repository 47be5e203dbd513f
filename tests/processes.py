"""Several processes that talk by gloo, for tests."""

import multiprocessing
import os
import signal
import socket
import traceback
from pathlib import Path

import torch
from torch import distributed


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def start_processes(function, *arguments, processes=2, join=True) -> list:
    """What ``function(*arguments)`` returns in each of the processes, in their order; with ``join`` they are a group.

    They are forked: starting Python and importing torch again takes longer than most tests. What is returned must be
    of numpy or plain Python, as tensors would travel by files that end with their process.
    """
    context = multiprocessing.get_context("fork")
    results, port = context.Queue(), free_port()
    ranks = [
        context.Process(target=_run, args=(rank, processes, port, join, results, function, arguments))
        for rank in range(processes)
    ]
    for process in ranks:
        process.start()
    answers = {}
    try:
        for _ in ranks:
            rank, error, value = results.get(timeout=120)
            if error:
                raise AssertionError(f"process {rank}: {error}")
            answers[rank] = value
    finally:
        for process in ranks:
            if len(answers) < processes:
                process.kill()
            process.join(timeout=60)
    return [answers[rank] for rank in range(processes)]


def _run(rank, processes, port, join, results, function, arguments):
    torch.set_num_threads(1)  # the threads of the parent do not survive a fork
    os.environ.update(OMP_NUM_THREADS="1", MKL_NUM_THREADS="1")  # or mmengine sets them and warns
    os.environ.update(RANK=str(rank), LOCAL_RANK=str(rank), WORLD_SIZE=str(processes))
    os.environ.update(MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port))
    try:
        if join:
            distributed.init_process_group("gloo")
        results.put((rank, None, function(*arguments)))
    except BaseException:
        results.put((rank, traceback.format_exc(), None))


def write_once(job: tuple[Path, bool]) -> str:
    """Write the file of a job that is not there yet. The process of one job is killed the first time."""
    path, dies = job
    marker = path.with_suffix(".died")
    if dies and not marker.exists():
        marker.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    if not path.exists():
        path.write_text(path.name, encoding="utf-8")
    return path.name
