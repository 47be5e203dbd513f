"""Animate an image: `i2v animate dtgan_oulu model.pth --image face.jpg --driving smile.mp4 --out out.mp4`.

A model that makes videos by label: `i2v animate imaginator_mug model.pth --image face.jpg --label happiness --out
out.mp4`.
"""

from argparse import ArgumentParser, Namespace

from i2vkit.cli.common import add_config, add_precision


def add_arguments(parser: ArgumentParser) -> None:
    """Add the options of the command to ``parser``."""
    add_config(parser)
    parser.add_argument("checkpoint", help=".pth of training or .safetensors of tools/export.py")
    parser.add_argument(
        "--image",
        required=True,
        help="the image to animate, of any size: its centre square, and with normal maps the face",
    )
    parser.add_argument(
        "--driving",
        nargs="+",
        help="for models driven by a video: video, GIF or folder of images; several play one after the other",
    )
    parser.add_argument(
        "--poses", help="for models driven by poses: CSV of 13 joints a frame (frame,x0,y0,...) in pixels of the image"
    )
    parser.add_argument("--pose-lstm", help="checkpoint: forecast what follows --poses, whose last is the image's")
    parser.add_argument("--pose-config", default="pose_lstm_penn", help="its config (default: pose_lstm_penn)")
    parser.add_argument(
        "--landmarks",
        nargs=2,
        metavar=("IMAGE", "DRIVING"),
        help="for models driven by normal maps: CSV of landmarks of both (default: found in the pictures). By them the "
        "faces are cut out as those of the data were, except from crops: pictures of the model's own size, and square "
        "ones that a face fills",
    )
    parser.add_argument(
        "--margin", type=float, help="what is left around that face, as prepare_data.py's (default: 0.1, a share of it)"
    )
    parser.add_argument("--show-maps", action="store_true", help="show maps, masks, coarse and refined frames too")
    labels = parser.add_mutually_exclusive_group()
    labels.add_argument("--label", help="for models that make videos by label: its name or number")
    labels.add_argument("--all-labels", action="store_true", help="a video for each label, in one grid")
    parser.add_argument(
        "--samples", type=int, default=1, help="videos that differ in their noise alone, in one grid (default: 1)"
    )
    parser.add_argument(
        "--interpolate",
        type=int,
        metavar="N",
        help="walk along N sampled motions, from each to the next: a row of videos for each stretch, in one grid",
    )
    parser.add_argument("--steps", type=int, help="videos of a stretch of the walk, both ends included (default: 6)")
    parser.add_argument("--seed", type=int, default=0, help="seed of the noise; sample k has SEED + k (default: 0)")
    parser.add_argument("--frames", type=int, help="length where no video drives (default: that of training)")
    parser.add_argument("--out", required=True, help=".mp4, .mkv, .avi, .gif, or .png for a strip")
    parser.add_argument("--show-dynamics", action="store_true", help="show the motion on an image of zeros too")
    parser.add_argument("--no-side-by-side", action="store_true", help="write the generated video alone")
    parser.add_argument("--deterministic", action="store_true", help="no dropout as noise: one image, one video")
    parser.add_argument("--device", help="cpu, cuda or cuda:1 (default: a GPU if there is one)")
    add_precision(parser, "; bf16: faster, a few grey levels off")
    parser.add_argument("--compile", action="store_true", help="torch.compile of the generator's parts; takes minutes")


def run(arguments: Namespace) -> None:
    """Write the animation."""
    from i2vkit.apis.inferencer import I2VInferencer
    from i2vkit.config.loading import load_config
    from i2vkit.errors import ConfigError

    changes = dict(arguments.cfg_options or {})
    if arguments.deterministic:
        changes["model.generator.decoder.dropout_at_test"] = False
    inferencer = I2VInferencer(
        load_config(arguments.config, changes, arguments.variant),
        arguments.checkpoint,
        arguments.device,
        precision=arguments.precision,
        compile=arguments.compile,
    )
    if inferencer.model.generator.reads_maps:
        from i2vkit.apis.map_animation import animate_from_files

        animation = animate_from_files(inferencer, arguments)
        print(f"{animation.path}: {animation.num_frames} frames")
        return
    of_maps = (arguments.poses, arguments.pose_lstm, arguments.landmarks, arguments.show_maps)
    if any(of_maps) or arguments.margin is not None:
        raise ConfigError(
            "this model reads no condition maps, so that --poses, --landmarks, --margin and --show-maps mean nothing"
        )
    animation = inferencer(
        arguments.image,
        arguments.driving,
        arguments.out,
        label=arguments.label,
        all_labels=arguments.all_labels,
        samples=arguments.samples,
        interpolate=arguments.interpolate,
        steps=arguments.steps,
        seed=arguments.seed,
        frames=arguments.frames,
        side_by_side=not arguments.no_side_by_side,
        show_dynamics=arguments.show_dynamics,
    )
    videos = f"{len(animation.captions)} videos of " if len(animation.captions) > 1 else ""
    print(f"{animation.path}: {videos}{animation.num_frames} frames")
