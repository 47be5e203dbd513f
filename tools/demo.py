"""Animate a face with the shipped models, then go the whole way in a few minutes (`make demo`).

The whole way: render faces, prepare them, train a recipe briefly, test it, animate a face. The recipe is DTGAN's U-Net,
which reads landmarks in place of the code of a CNN-LSTM.
"""

import subprocess
import sys
import time
from pathlib import Path

from i2vkit.cli.common import parser, run_tool

TOOLS = Path(__file__).parent
MODEL = "mix/given_landmarks_recipe_oulu"


def main() -> None:
    """Run the steps one after the other, as a user would."""
    options = parser(__doc__)
    options.add_argument("--work-dir", default="work_dirs/demo", help="where everything goes (default: %(default)s)")
    options.add_argument("--training", type=int, default=900, help="iterations of the generator (default: %(default)s)")
    arguments = options.parse_args()
    work, started = Path(arguments.work_dir), time.monotonic()
    work.mkdir(parents=True, exist_ok=True)
    raw, prepared, model = (work / name for name in ("oulu_casia", "oulu_casia_64", "model"))

    shown = [work / f"shipped{suffix}" for suffix in (".mp4", ".gif", ".png")]
    for path in shown:
        run("animate a face with the shipped models", "zoo", "show", "--out", path)

    run("render a synthetic data set", "synthesize_data", "oulu_casia", "--out", raw, "--seed", 0, "--truth", "none")
    run("prepare it", "prepare_data", "oulu_casia", "--source", raw, "--out", prepared, "--size", 64)
    run("train the model", "train", MODEL, *into(model), *training(prepared, arguments.training))
    checkpoint = newest(model)
    root = f"test_dataloader.dataset.reader.root={prepared}"
    run("test it", "test", MODEL, checkpoint, "--out", work / "results", "--cfg-options", root)
    image, driving, landmarks = faces(prepared)
    for name in ("animation.mp4", "animation.gif", "animation.png"):
        files = ("--image", image, "--driving", driving, "--landmarks", *landmarks, "--out", work / name)
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


def training(prepared: Path, iterations: int) -> list[str]:
    """Return the options of a short training: the recipe at a twentieth of its length, by reconstruction alone.

    The discriminator of the recipe joins at iteration 9,000, so it never does here.
    """
    return [
        "--cfg-options",
        f"train_dataloader.dataset.reader.root={prepared}",
        f"val_dataloader.dataset.reader.root={prepared}",
        f"val_dataloader.dataset.truth.root={prepared / 'truth'}",
        f"train_cfg.max_iters={iterations}",
        f"train_cfg.val_interval={iterations}",
        f"default_hooks.checkpoint.interval={iterations}",
        # The learning rate falls in the second half.
        f"param_scheduler.decay.begin={iterations // 2}",
        f"param_scheduler.decay.end={iterations}",
        "custom_hooks.ema.momentum=0.02",  # averages about 50 iterations where the recipe averages 100
        f"custom_hooks.strips.interval={iterations}",
    ]


def newest(work_dir: Path) -> Path:
    """Return the newest checkpoint."""
    from i2vkit.engine.work_dirs import latest_checkpoint

    return latest_checkpoint(work_dir)


def faces(prepared: Path) -> tuple[Path, Path, list[Path]]:
    """Return one test person's neutral face, another one's surprise, and the files with the landmarks of both."""
    image, driving = prepared / "P078" / "Happiness", prepared / "P080" / "Surprise"
    clips = [sorted(path for path in person.iterdir() if path.is_dir())[0] for person in (image, driving)]
    landmarks = [prepared / "landmarks" / clip.relative_to(prepared).with_suffix(".csv") for clip in clips]
    return sorted(clips[0].glob("*.png"))[0], clips[1], landmarks


if __name__ == "__main__":
    run_tool(main)
