"""The whole way in a few minutes: renders faces, prepares them, trains DTGAN briefly, tests and animates (`make demo`)."""

import subprocess
import sys
import time
from pathlib import Path

from i2vkit.apis.cli import parser, run_tool

TOOLS = Path(__file__).parent


def main() -> None:
    """Run the steps one after the other, each as a user would."""
    options = parser(__doc__)
    options.add_argument("--work-dir", default="work_dirs/demo", help="where everything goes (default: %(default)s)")
    options.add_argument("--people", type=int, default=80, help="how many people are rendered (default: %(default)s)")
    options.add_argument("--pretraining", type=int, default=60, help="iterations of the CNN-LSTM (default: %(default)s)")
    options.add_argument("--training", type=int, default=120, help="iterations of DTGAN (default: %(default)s)")
    arguments = options.parse_args()
    work, started = Path(arguments.work_dir), time.monotonic()
    work.mkdir(parents=True, exist_ok=True)
    raw, prepared = work / "oulu_casia", work / "oulu_casia_64"
    encoder, gan, results = work / "cnn_lstm", work / "dtgan", work / "results"
    data = data_options(prepared, batch_size=8)
    test = data_options(prepared, batch_size=8, loaders=["test_dataloader"])

    run("render the stand-in", "synthesize_data", "oulu_casia", "--out", raw, "--people", arguments.people, "--seed", 0)
    run("prepare it", "prepare_data", "oulu_casia", "--source", raw, "--out", prepared, "--size", 64)
    pretrain = iterations(arguments.pretraining) + [
        f"model.phases.0.end={arguments.pretraining * 2 // 3}",
        f"model.phases.1.begin={arguments.pretraining * 2 // 3}",
    ]
    run("pre-train the CNN-LSTM", "train", "cnn_lstm_oulu", "--work-dir", encoder, "--cfg-options", *data, *pretrain)
    train = [*iterations(arguments.training), f"model.pretrained.0.checkpoint={encoder}"]
    run("train DTGAN", "train", "dtgan_oulu", "--work-dir", gan, "--cfg-options", *data, *train)
    checkpoint = newest(gan)
    run("test it", "test", "dtgan_oulu", checkpoint, "--out", results, "--cfg-options", *test)
    image, driving = faces(prepared)
    for name in ("animation.mp4", "animation.gif", "animation.png"):
        run("animate a face", "animate", "dtgan_oulu", checkpoint, "--image", image, "--driving", driving, "--out", work / name)

    print(f"\nDone in {time.monotonic() - started:.0f} s. To look at:")
    for name in ("animation.mp4", "animation.gif", "animation.png", "results/metrics.json"):
        print(f"  {(work / name).absolute()}")


def run(title: str, tool: str, *arguments: object) -> None:
    """Run one of the tools; its output goes on to the terminal, and its failure ends the demo."""
    command = [sys.executable, str(TOOLS / f"{tool}.py"), *map(str, arguments)]
    print(f"\n=== {title}\n$ python tools/{tool}.py {' '.join(map(str, arguments))}", flush=True)
    if code := subprocess.run(command, check=False).returncode:
        sys.exit(code)


def data_options(root: Path, batch_size: int, loaders: tuple | list = ("train_dataloader", "val_dataloader")) -> list[str]:
    """Options that point data loaders at ``root``."""
    options = [f"{loader}.dataset.layout.root={root}" for loader in loaders]
    options += [f"{loader}.dataset.truth.root={root / 'truth'}" for loader in loaders if loader != "train_dataloader"]
    return options + [f"{loader}.batch_size={batch_size}" for loader in loaders]


def iterations(number: int) -> list[str]:
    """Options for a training of ``number`` iterations that saves and validates once, at its end."""
    hooks = "default_hooks.checkpoint"
    return [f"train_cfg.max_iters={number}", f"train_cfg.val_interval={number}", f"{hooks}.interval={number}"]


def newest(work_dir: Path) -> Path:
    """The checkpoint that was written last."""
    from i2vkit.engine.checkpoints import latest_checkpoint

    return latest_checkpoint(work_dir)


def faces(prepared: Path) -> tuple[Path, Path]:
    """A neutral face of one test person, and another's surprise."""
    people = sorted(path for path in prepared.iterdir() if path.name.startswith("P"))
    image = next(iter(sorted(people[-1].glob("*/*/*.png"))))
    driving = next(iter(sorted(people[-2].glob("Surprise/*"))))
    return image, driving


if __name__ == "__main__":
    run_tool(main)
