"""Test a model: `python tools/test.py dtgan_oulu work_dirs/dtgan_oulu/iter_1000.pth`."""

from i2vkit.cli.common import add_precision, parser, run_tool


def main() -> None:
    """Read the command line, test, and print the scores beside their floor."""
    options = parser(__doc__, config=True)
    options.add_argument("checkpoint", help=".pth of training or .safetensors of tools/export.py")
    options.add_argument(
        "--protocol", help="a protocol of the config, or a .json list of samples (default: the config's first)"
    )
    options.add_argument("--out", help="folder of the results (default: work_dirs/<config>/test/<protocol>)")
    options.add_argument("--save-videos", action="store_true", help="write the generated videos and strips of them")
    options.add_argument("--seed", type=int, help="seed of the first sample's noise (default: the protocol's)")
    add_precision(options)
    options.add_argument("--compile", action="store_true", help="torch.compile of the generator's parts")
    options.add_argument(
        "--launcher", choices=["none", "pytorch", "slurm"], default="none", help="set by dist_test.sh, slurm_test.sh"
    )
    arguments = options.parse_args()

    from mmengine.dist import is_main_process

    from i2vkit.config.loading import load_config
    from i2vkit.engine.distributed import leave_distributed
    from i2vkit.evaluation.result import as_table
    from i2vkit.evaluation.run import test

    cfg = load_config(arguments.config, arguments.cfg_options)
    result = test(
        cfg,
        arguments.checkpoint,
        protocol=arguments.protocol,
        out=arguments.out,
        save_videos=arguments.save_videos,
        seed=arguments.seed,
        options=arguments.cfg_options,
        precision=arguments.precision,
        compile=arguments.compile,
        launcher=arguments.launcher,
    )
    if is_main_process():
        print(as_table(result))
    leave_distributed()


if __name__ == "__main__":
    run_tool(main)
