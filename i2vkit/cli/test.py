"""Test a model: `i2v test dtgan_oulu work_dirs/dtgan_oulu/iter_1000.pth`."""

from argparse import ArgumentParser, Namespace

from i2vkit.cli.common import add_config, add_precision
from i2vkit.cli.values import output_folder


def add_arguments(parser: ArgumentParser) -> None:
    """Add the options of the command to ``parser``."""
    add_config(parser)
    parser.add_argument("checkpoint", help=".pth of training or .safetensors of tools/export.py")
    parser.add_argument(
        "--protocol", help="a protocol of the config, or a .json list of samples (default: the config's first)"
    )
    parser.add_argument(
        "--out", type=output_folder, help="folder of the results (default: work_dirs/<config>/test/<protocol>)"
    )
    parser.add_argument("--save-videos", action="store_true", help="write the generated videos and strips of them")
    parser.add_argument("--seed", type=int, help="seed of the first sample's noise (default: the protocol's)")
    add_precision(parser)
    parser.add_argument("--compile", action="store_true", help="torch.compile of the generator's parts")
    parser.add_argument(
        "--launcher", choices=["none", "pytorch", "slurm"], default="none", help="set by dist_test.sh, slurm_test.sh"
    )


def run(arguments: Namespace) -> None:
    """Test the model, and print the scores beside their static baseline."""
    from mmengine.dist import is_main_process

    from i2vkit.config.loading import load_config
    from i2vkit.engine.distributed import leave_distributed
    from i2vkit.evaluation.result import format_scores
    from i2vkit.evaluation.run import test

    cfg = load_config(arguments.config, arguments.cfg_options, arguments.variant)
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
        print(format_scores(result))
    leave_distributed()
