"""Score videos that somebody else has made: `i2v evaluate --videos theirs --truth data/test --person '^P[0-9]+'`.

A video belongs to the true video of the same name, a file or a folder of images. The scores, their intervals, the
static baseline and metrics.json are those of `i2v test`, so that `i2v compare` takes both.
"""

from argparse import ArgumentParser, Namespace

from i2vkit.cli.values import output_folder


def add_arguments(parser: ArgumentParser) -> None:
    """Add the options of the command to ``parser``."""
    parser.add_argument("--videos", required=True, metavar="DIR", help="the videos to score")
    parser.add_argument("--truth", required=True, metavar="DIR", help="the true videos, with the same names")
    parser.add_argument(
        "--images",
        metavar="DIR",
        help="the images that were animated, with the same names, for the static baseline (default: the first frames "
        "of the true videos)",
    )
    parser.add_argument(
        "--out", type=output_folder, metavar="DIR", help="folder of the results (default: work_dirs/evaluate/NAME)"
    )
    parser.add_argument(
        "--metrics",
        nargs="+",
        metavar="NAME",
        help="of ssim, psnr, mse, lpips, appearance, motion_error, acd, frame_fid, video_fid and fvd (default: those "
        "that need no files of weights)",
    )
    parser.add_argument("--name", help="name of the method in tables (default: that of the folder of the videos)")
    parser.add_argument("--length", type=int, help="score only the first so many frames of both videos (default: all)")
    parser.add_argument("--size", type=int, help="cut out the middle square and scale it to this side in pixels")
    parser.add_argument(
        "--person",
        metavar="REGEX",
        help="finds the person in a true video's name, for intervals over people (default: the first folder)",
    )


def run(arguments: Namespace) -> None:
    """Score the videos, and print the scores beside their static baseline."""
    from i2vkit.evaluation.given_videos import DEFAULT_METRICS, evaluate
    from i2vkit.evaluation.result import format_scores

    result = evaluate(
        arguments.videos,
        arguments.truth,
        images=arguments.images,
        out=arguments.out,
        metrics=arguments.metrics or DEFAULT_METRICS,
        name=arguments.name,
        length=arguments.length,
        size=arguments.size,
        person=arguments.person,
    )
    print(format_scores(result))
