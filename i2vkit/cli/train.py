"""Train a model: `i2v train dtgan_oulu`."""

from argparse import ArgumentParser, Namespace

from i2vkit.cli.common import add_config, add_precision
from i2vkit.cli.values import output_folder
from i2vkit.errors import TrainingStopped


def add_arguments(parser: ArgumentParser) -> None:
    """Add the options of the command to ``parser``."""
    add_config(parser)
    parser.add_argument(
        "--work-dir",
        type=output_folder,
        help="folder of logs and checkpoints (default: work_dirs/<name of the config>)",
    )
    parser.add_argument(
        "--resume",
        nargs="?",
        const=True,
        default=False,
        metavar="CHECKPOINT",
        help="go on from a checkpoint, by default from the newest in the work dir; changed settings are taken over",
    )
    add_precision(parser)
    parser.add_argument(
        "--compile",
        action="store_true",
        help="torch.compile of the parts for which it pays; set its arguments by --cfg-options compile.mode=...",
    )
    parser.add_argument("--seed", type=int, help="seed of everything random (default: the config's)")
    parser.add_argument("--deterministic", action="store_true", help="deterministic algorithms only, may be slower")
    parser.add_argument(
        "--launcher", choices=["none", "pytorch", "slurm"], default="none", help="set by dist_train.sh, slurm_train.sh"
    )


def run(arguments: Namespace) -> None:
    """Train the model."""
    from i2vkit.apis.train import train
    from i2vkit.config.loading import load_config
    from i2vkit.engine.distributed import leave_distributed

    try:
        train(
            load_config(arguments.config, arguments.cfg_options, arguments.variant),
            work_dir=arguments.work_dir,
            resume=arguments.resume,
            seed=arguments.seed,
            deterministic=arguments.deterministic,
            precision=arguments.precision,
            compile=arguments.compile,
            launcher=arguments.launcher,
        )
    except TrainingStopped:
        leave_distributed()
        raise
    leave_distributed()
