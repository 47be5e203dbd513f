"""Print what the ground truth of rendered sets leaves room for: `i2v truth-bounds data/mug_64/truth
data/bair_64/truth`.

Printed are the static baseline, repeating the first frame, and the upper bound, the ground truth itself coded as H.264
(as MP4 files are).
"""

from argparse import ArgumentParser, Namespace

FORMATS = (("ssim", ".3f"), ("psnr", ".2f"))


def add_arguments(parser: ArgumentParser) -> None:
    """Add the options of the command to ``parser``."""
    parser.add_argument("roots", nargs="+", metavar="ROOT", help="prepared truth, for instance data/mug_64/truth")
    parser.add_argument("--number", type=int, help="of clips of each, spread evenly (default: all)")


def run(arguments: Namespace) -> None:
    """Score and print a row a root."""
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
