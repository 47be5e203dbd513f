"""Animate an image: `i2v animate --model dtgan-faces --image face.jpg --driving smile.mp4 --out out.mp4`.

With a model that you have trained: `i2v animate dtgan_oulu model.pth --image face.jpg --driving smile.mp4 --out
out.mp4`. With a model that makes videos by label: `i2v animate imaginator_mug model.pth --image face.jpg --label
happiness --out out.mp4`.
"""

from argparse import ArgumentParser, Namespace
from typing import Any

from i2vkit.cli.common import add_config_options, add_precision, config_help
from i2vkit.cli.values import device


def add_arguments(parser: ArgumentParser) -> None:
    """Add the options of the command to ``parser``."""
    parser.add_argument("config", nargs="?", help=config_help())
    parser.add_argument("checkpoint", nargs="?", help=".pth of training, a work dir, or .safetensors of i2v export")
    parser.add_argument(
        "--model",
        metavar="NAME",
        help="a trained model instead of CONFIG and CHECKPOINT: a shipped one (i2v list), a .safetensors file of i2v "
        "export, a work dir, or a repository on the Hugging Face Hub (organisation/name)",
    )
    add_config_options(parser)
    parser.add_argument(
        "--image",
        required=True,
        nargs="+",
        help="the image to animate, of any size; its centre square is used, and with normal maps the face; several "
        "images are animated one by one, and --out is a folder",
    )
    parser.add_argument(
        "--driving",
        nargs="+",
        help="for models driven by a video: video, GIF or folder of images; several play one after the other, "
        "each at its own speed",
    )
    parser.add_argument(
        "--poses", help="for models driven by poses: CSV of 13 joints a frame (frame,x0,y0,...) in pixels of the image"
    )
    parser.add_argument(
        "--pose-lstm", help="checkpoint that forecasts the poses after --poses, the last of which is then the image's"
    )
    parser.add_argument("--pose-config", default="pose_lstm_penn", help="config of --pose-lstm (default: %(default)s)")
    parser.add_argument(
        "--landmarks",
        nargs="+",
        metavar="CSV",
        help="for models of faces: CSV of landmarks of the image, and of the driving video if there is one (default: "
        "detected in the pictures). The faces are cut out by them like the training data, except from pictures that "
        "are such crops already: those of the model's own size, and square ones that a face fills",
    )
    parser.add_argument(
        "--margin", type=float, help="margin around that face as a share of it, like prepare_data.py's (default: 0.1)"
    )
    parser.add_argument(
        "--background",
        help="for models driven by silhouettes: a picture of the scene without the person (default: the median of the "
        "driving video over time)",
    )
    parser.add_argument(
        "--maps",
        nargs="+",
        metavar="CLIP",
        help="for models that read condition maps: a driving clip of a set that was prepared with --maps; a second "
        "clip if the image is its first frame and not that of the driving clip",
    )
    parser.add_argument("--show-maps", action="store_true", help="show maps, masks, coarse and refined frames too")
    labels = parser.add_mutually_exclusive_group()
    labels.add_argument("--label", help="for models that make videos by label: name or number of the label")
    labels.add_argument("--all-labels", action="store_true", help="a video for each label, in one grid")
    parser.add_argument(
        "--samples", type=int, default=1, help="number of videos with different noise, in one grid (default: 1)"
    )
    parser.add_argument(
        "--interpolate",
        type=int,
        metavar="N",
        help="interpolate between N sampled motions, from each to the next: a row of videos for each pair, in one grid",
    )
    parser.add_argument("--steps", type=int, help="videos of a row of --interpolate, both ends included (default: 6)")
    parser.add_argument("--seed", type=int, default=0, help="seed of the noise; sample k has SEED + k (default: 0)")
    parser.add_argument("--frames", type=int, help="length if no video drives (default: that of training)")
    parser.add_argument(
        "--fps",
        type=float,
        help="frames a second of the result (default: those of the driving video, or those of training, or 25)",
    )
    parser.add_argument("--audio", action="store_true", help="keep the sound of the driving video (.mp4, .mkv, .avi)")
    parser.add_argument("--out", required=True, help=".mp4, .mkv, .avi, .gif, or .png for a strip")
    parser.add_argument("--show-dynamics", action="store_true", help="also show the motion on an image of zeros")
    parser.add_argument("--no-side-by-side", action="store_true", help="write the generated video alone")
    parser.add_argument("--deterministic", action="store_true", help="no dropout as noise: one image, one video")
    parser.add_argument("--device", type=device, help="cpu, cuda or cuda:1 (default: a GPU if there is one)")
    add_precision(parser, "; bf16 is faster, and pixels may differ by a few grey levels")
    parser.add_argument("--compile", action="store_true", help="torch.compile of the generator's parts; takes minutes")


def run(arguments: Namespace) -> None:
    """Write the animation."""
    from i2vkit.errors import ConfigError

    if arguments.landmarks and len(arguments.landmarks) != (1 if arguments.driving is None else 2):
        raise ConfigError("--landmarks takes the file of the image, and after it that of --driving if that is given")
    if arguments.maps and len(arguments.maps) > 2:
        raise ConfigError(f"--maps takes one clip, or two, not {len(arguments.maps)}")
    inferencer = load(arguments)
    source = inferencer.choose_source(
        driving=arguments.driving,
        poses=arguments.poses,
        pose_lstm=arguments.pose_lstm,
        pose_config=arguments.pose_config,
        landmarks=arguments.landmarks,
        margin=arguments.margin,
        background=arguments.background,
        maps=arguments.maps,
        frames=arguments.frames,
    )
    if arguments.show_maps and not inferencer.model.generator.reads_maps:
        raise ConfigError("this model reads no condition maps: leave --show-maps away")
    animation = inferencer(
        arguments.image if len(arguments.image) > 1 else arguments.image[0],
        source,
        arguments.out,
        label=arguments.label,
        all_labels=arguments.all_labels,
        samples=arguments.samples,
        interpolate=arguments.interpolate,
        steps=arguments.steps,
        seed=arguments.seed,
        # A source of motion knows its frames already; a driving video beside this option is refused.
        frames=arguments.frames if source.shows_driving else None,
        fps=arguments.fps,
        side_by_side=not arguments.no_side_by_side,
        show_dynamics=arguments.show_dynamics,
        show_maps=arguments.show_maps,
        audio=arguments.audio,
    )
    for made in animation if isinstance(animation, list) else [animation]:
        videos = f"{len(made.captions)} videos of " if len(made.captions) > 1 else ""
        print(f"{made.path}: {videos}{made.num_frames} frames")


def load(arguments: Namespace) -> Any:
    """Return the inferencer of the options.

    Raises:
        ConfigError: Both a model and a config are given, or neither, or changes of a config that a model carries.
    """
    from i2vkit.apis.inferencer import I2VInferencer
    from i2vkit.config.loading import load_config
    from i2vkit.errors import ConfigError

    settings = dict(device=arguments.device, precision=arguments.precision, compile=arguments.compile)
    changes = dict(arguments.cfg_options or {})
    if arguments.model is not None:
        if arguments.config is not None:
            raise ConfigError("give --model, which carries its config, or CONFIG and CHECKPOINT, not both")
        if changes or arguments.deterministic or arguments.variant:
            raise ConfigError("--model carries its config: leave --cfg-options, --variant and --deterministic away")
        return I2VInferencer.from_pretrained(arguments.model, **settings)
    if arguments.checkpoint is None:
        raise ConfigError("say which model: --model NAME (`i2v list` shows those shipped), or CONFIG and CHECKPOINT")
    if arguments.deterministic:
        changes["model.generator.decoder.dropout_at_test"] = False
    cfg = load_config(arguments.config, changes, arguments.variant)
    return I2VInferencer(cfg, arguments.checkpoint, **settings)
