"""Print the score bounds of rendered sets: `i2v truth-bounds data/mug_64/truth data/bair_64/truth`.

These are the static baseline, which repeats the first frame, and the upper bound, the ground truth itself coded as
H.264 (as in MP4 files).
"""

from argparse import ArgumentParser, Namespace

FORMATS = (("ssim", ".3f"), ("psnr", ".2f"))


def add_arguments(parser: ArgumentParser) -> None:
    """Add the options of the command to ``parser``."""
    parser.add_argument("roots", nargs="+", metavar="ROOT", help="prepared truth, for instance data/mug_64/truth")
    parser.add_argument("--number", type=int, help="number of clips of each, spread evenly (default: all)")


def run(arguments: Namespace) -> None:
    """Score the sets, and print a row for each root."""
    from i2vkit.analysis.truth_benchmark.bounds import truth_bounds

    print(
        "| truth | clips | SSIM static baseline | SSIM upper bound | PSNR static baseline | PSNR upper bound |\n"
        "|---|---|---|---|---|---|"
    )
    for root in arguments.roots:
        scores = truth_bounds(root, arguments.number)
        ssim, psnr = (
            f"{scores[f'{name}_static_baseline']:{f}} | {scores[f'{name}_upper_bound']:{f}}" for name, f in FORMATS
        )
        print(f"| {root} | {scores['clips']} | {ssim} | {psnr} |", flush=True)
