"""What the truth of rendered sets leaves room for: `python tools/truth_bounds.py data/mug_64/truth data/bair_64/truth`.

Printed are the floor, repeating the first frame, and the ceiling, the truth itself coded as H.264 (as MP4 files are).
"""

from i2vkit.cli.common import parser, run_tool


def main() -> None:
    """Read the command line, score and print a row a root."""
    options = parser(__doc__)
    options.add_argument("roots", nargs="+", metavar="ROOT", help="prepared truth, for instance data/mug_64/truth")
    options.add_argument("--number", type=int, help="of clips of each, spread evenly (default: all)")
    arguments = options.parse_args()

    from i2vkit.analysis.exact_truth.bounds import truth_bounds

    print("| truth | clips | SSIM floor | SSIM ceiling | PSNR floor | PSNR ceiling |\n|---|---|---|---|---|---|")
    for root in arguments.roots:
        scores = truth_bounds(root, arguments.number)
        ssim, psnr = (f"{scores[f'{name}_floor']:{f}} | {scores[f'{name}_ceiling']:{f}}" for name, f in FORMATS)
        print(f"| {root} | {scores['clips']} | {ssim} | {psnr} |", flush=True)


FORMATS = (("ssim", ".3f"), ("psnr", ".2f"))

if __name__ == "__main__":
    run_tool(main)
