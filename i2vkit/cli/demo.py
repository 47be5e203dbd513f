"""Try models on a web page: `i2v demo`, or with your own, `i2v demo work_dirs/dtgan_oulu dtgan-faces`.

Drop an image and a driving clip, or choose a label or random samples, and see the video. A second tab compares models.
The page is for this machine only unless you give `--host`.
"""

from argparse import ArgumentParser, Namespace

from i2vkit.cli.values import device


def add_arguments(parser: ArgumentParser) -> None:
    """Add the options of the command to ``parser``."""
    parser.add_argument(
        "models",
        nargs="*",
        metavar="MODEL",
        help="a shipped model (i2v list), a work dir, or a .safetensors file of i2v export (default: all shipped ones)",
    )
    parser.add_argument(
        "--host", default="127.0.0.1", help="address to listen on; 0.0.0.0 for all networks (default: %(default)s)"
    )
    parser.add_argument("--port", type=int, default=7860, help="port, 0 for any free one (default: %(default)s)")
    parser.add_argument("--device", type=device, help="cpu, cuda or cuda:1 (default: a GPU if there is one)")
    parser.add_argument("--jobs", type=int, default=2, help="videos made at the same time (default: %(default)s)")
    parser.add_argument("--megabytes", type=int, default=50, help="largest file to upload (default: %(default)s)")
    parser.add_argument("--frames", type=int, default=300, help="longest driving clip (default: %(default)s)")


def run(arguments: Namespace) -> None:
    """Serve the page until Ctrl-C."""
    from i2vkit.web.serving import require_web

    require_web("gradio", "uvicorn")
    from i2vkit.demo.limits import Limits
    from i2vkit.demo.server import serve_demo

    limits = Limits(arguments.megabytes, arguments.frames)
    serve_demo(arguments.models, arguments.host, arguments.port, arguments.device, arguments.jobs, limits)
