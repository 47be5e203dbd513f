import multiprocessing
import os
import socket

import pytest
import torch
from tiny import tiny_config

from i2vkit.apis.train import train
from i2vkit.engine.checkpoints import load_checkpoint_file
from i2vkit.engine.distributed import init_distributed
from i2vkit.errors import ConfigError


def run_rank(rank, port, folder):
    """One of two processes."""
    torch.set_num_threads(1)  # the threads of the parent do not survive a fork
    os.environ.update(OMP_NUM_THREADS="1", MKL_NUM_THREADS="1")  # or mmengine sets them and warns
    os.environ.update(
        RANK=str(rank), LOCAL_RANK=str(rank), WORLD_SIZE="2", MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port)
    )
    train(tiny_config(folder, 3, batch_size=2, noise=0.0), launcher="pytorch")


@pytest.mark.skipif(torch.cuda.is_available(), reason="two processes would need two GPUs; with gloo, none")
def test_two_processes_train_like_one(tmp_path):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    # Forked: starting Python and importing torch again takes longer than the test.
    context = multiprocessing.get_context("fork")
    ranks = [context.Process(target=run_rank, args=(rank, port, tmp_path / "two")) for rank in range(2)]
    for process in ranks:
        process.start()
    train(tiny_config(tmp_path / "one", 3, batch_size=4, noise=0.0))
    for process in ranks:
        process.join(timeout=120)
    assert [process.exitcode for process in ranks] == [0, 0]

    one, two = (load_checkpoint_file(tmp_path / name / "iter_3.pth")["state_dict"] for name in ("one", "two"))
    assert one.keys() == two.keys()  # no ".module." in them
    for name, value in one.items():
        torch.testing.assert_close(two[name], value, rtol=0, atol=1e-6)


def test_launchers_say_how_to_start_them(monkeypatch):
    monkeypatch.delenv("RANK", raising=False)
    monkeypatch.delenv("SLURM_PROCID", raising=False)
    with pytest.raises(ConfigError, match=r"dist_train\.sh"):
        init_distributed("pytorch")
    with pytest.raises(ConfigError, match=r"slurm_train\.sh"):
        init_distributed("slurm")
    with pytest.raises(ConfigError, match="one of none, pytorch, slurm"):
        init_distributed("mpi")
