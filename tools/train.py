"""Train a model: `python tools/train.py dtgan_oulu`."""

from i2vkit.cli.common import add_precision, parser, run_tool


def main() -> None:
    """Read the command line and train."""
    options = parser(__doc__, config=True)
    options.add_argument("--work-dir", help="where logs and checkpoints go (default: work_dirs/<name of the config>)")
    options.add_argument(
        "--resume",
        nargs="?",
        const=True,
        default=False,
        metavar="CHECKPOINT",
        help="go on from a checkpoint, by default from the newest in the work dir",
    )
    add_precision(options)
    options.add_argument(
        "--compile",
        action="store_true",
        help="torch.compile of the parts where it pays; how: --cfg-options compile.mode=... and the like",
    )
    options.add_argument("--seed", type=int, help="seed of everything random (default: the config's)")
    options.add_argument("--deterministic", action="store_true", help="deterministic algorithms only, may be slower")
    options.add_argument(
        "--launcher", choices=["none", "pytorch", "slurm"], default="none", help="set by dist_train.sh, slurm_train.sh"
    )
    arguments = options.parse_args()

    from i2vkit.apis.train import train
    from i2vkit.config.loading import load_config
    from i2vkit.engine.distributed import leave_distributed

    train(
        load_config(arguments.config, arguments.cfg_options),
        work_dir=arguments.work_dir,
        resume=arguments.resume,
        seed=arguments.seed,
        deterministic=arguments.deterministic,
        precision=arguments.precision,
        compile=arguments.compile,
        launcher=arguments.launcher,
    )
    leave_distributed()


if __name__ == "__main__":
    run_tool(main)
