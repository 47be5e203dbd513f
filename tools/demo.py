"""Animate a face with the shipped models, then go the whole way in a few minutes (`make demo`).

The whole way: render faces, pre-train the motion encoder, train a recipe briefly, test it, animate a face. The recipe is
DTGAN's with landmarks that a small network finds in place of its CNN-LSTM, the best of ours without condition maps.
"""

import subprocess
import sys
import time
from pathlib import Path

from i2vkit.cli.common import parser, run_tool

TOOLS = Path(__file__).parent
ENCODER = "mix/landmarks_recipe_oulu"
MODEL = "mix/landmark_unet_recipe_oulu"


def main() -> None:
    """Run the steps one after the other, as a user would."""
    options = parser(__doc__)
    options.add_argument("--work-dir", default="work_dirs/demo", help="where everything goes (default: %(default)s)")
    options.add_argument(
        "--pretraining", type=int, default=500, help="iterations of the landmark encoder (default: %(default)s)"
    )
    options.add_argument("--training", type=int, default=600, help="iterations of the generator (default: %(default)s)")
    arguments = options.parse_args()
    work, started = Path(arguments.work_dir), time.monotonic()
    work.mkdir(parents=True, exist_ok=True)
    raw, prepared, encoder, gan = (work / name for name in ("oulu_casia", "oulu_casia_64", "landmarks", "generator"))

    shown = [work / f"shipped{suffix}" for suffix in (".mp4", ".gif", ".png")]
    for path in shown:
        run("animate a face with the shipped models", "zoo", "show", "--out", path)

    run("render a synthetic data set", "synthesize_data", "oulu_casia", "--out", raw, "--seed", 0, "--truth", "none")
    run("prepare it", "prepare_data", "oulu_casia", "--source", raw, "--out", prepared, "--size", 64)
    run("pre-train the landmark encoder", "train", ENCODER, *into(encoder), *short_run(prepared, arguments.pretraining))
    run("train the generator", "train", MODEL, *into(gan), *training(prepared, encoder, arguments.training))
    checkpoint = newest(gan)
    root = f"test_dataloader.dataset.reader.root={prepared}"
    run("test it", "test", MODEL, checkpoint, "--out", work / "results", "--cfg-options", root)
    image, driving = faces(prepared)
    for name in ("animation.mp4", "animation.gif", "animation.png"):
        files = ("--image", image, "--driving", driving, "--out", work / name)
        run("animate a face", "animate", MODEL, checkpoint, *files)

    print(f"\nDone in {time.monotonic() - started:.0f} s. To look at:")
    made = (work / name for name in ("animation.mp4", "animation.gif", "animation.png", "results/metrics.json"))
    for path in (*shown, *made):
        print(f"  {path.absolute()}")


def run(title: str, tool: str, *arguments: object) -> None:
    """Run one of the tools. Its output goes to the terminal, and its failure ends the demo."""
    command = [str(TOOLS / f"{tool}.py"), *map(str, arguments)]
    print(f"\n=== {title}\n$ python {' '.join(command)}", flush=True)
    if code := subprocess.run([sys.executable, *command], check=False).returncode:
        sys.exit(code)


def into(work_dir: Path) -> list[object]:
    """Return the options that train in ``work_dir``, and go on there if the demo has run before."""
    return ["--work-dir", work_dir, *(["--resume"] if any(work_dir.glob("iter_*.pth")) else [])]


def training(prepared: Path, encoder: Path, iterations: int) -> list[str]:
    """Return the options of a short training: the recipe at a twentieth of its length, by reconstruction alone.

    The discriminator of the recipe joins at iteration 9,000, so it never does here.
    """
    return [
        *short_run(prepared, iterations),
        f"val_dataloader.dataset.truth.root={prepared / 'truth'}",
        f"model.pretrained.motion_encoder.checkpoint={encoder}",
        "custom_hooks.ema.momentum=0.02",  # averages about 50 iterations where the recipe averages 100
        f"custom_hooks.strips.interval={iterations}",
    ]


def short_run(prepared: Path, iterations: int) -> list[str]:
    """Return the options of any short run: the data, and one checkpoint and one validation at the end."""
    return [
        "--cfg-options",
        f"train_dataloader.dataset.reader.root={prepared}",
        f"val_dataloader.dataset.reader.root={prepared}",
        f"train_cfg.max_iters={iterations}",
        f"train_cfg.val_interval={iterations}",
        f"default_hooks.checkpoint.interval={iterations}",
        # The learning rate falls in the second half.
        f"param_scheduler.decay.begin={iterations // 2}",
        f"param_scheduler.decay.end={iterations}",
    ]


def newest(work_dir: Path) -> Path:
    """Return the newest checkpoint."""
    from i2vkit.engine.work_dirs import latest_checkpoint

    return latest_checkpoint(work_dir)


def faces(prepared: Path) -> tuple[Path, Path]:
    """Return the neutral face of one test person and another test person's surprise."""
    image, driving = prepared / "P078" / "Happiness", prepared / "P080" / "Surprise"
    return sorted(image.glob("*/*.png"))[0], sorted(driving.iterdir())[0]


if __name__ == "__main__":
    run_tool(main)
