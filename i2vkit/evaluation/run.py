"""Testing: the samples of a protocol are generated and scored, and everything that the scores depend on is recorded."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mmengine.config import Config, ConfigDict
from mmengine.dist import broadcast_object_list, is_main_process
from mmengine.hooks import Hook
from mmengine.registry import DATASETS, DefaultScope
from mmengine.runner import Runner

from i2vkit.apis.train import with_precision
from i2vkit.config.requests import check_batch
from i2vkit.datasets.pair_samplers import Pair
from i2vkit.datasets.shared_people import describe_shared, shared_people
from i2vkit.engine.checkpoints import checkpoint_file
from i2vkit.engine.compiling import compile_options, compile_parts
from i2vkit.engine.console import ConsoleRunner
from i2vkit.engine.distributed import ReplicatedModel, init_distributed
from i2vkit.engine.labels import LabelsHook
from i2vkit.engine.precision import precision as computing_in
from i2vkit.engine.work_dirs import result_errors
from i2vkit.errors import ConfigError
from i2vkit.evaluation.protocols import Protocol, Reconstruction, SampleList, write_samples
from i2vkit.evaluation.result import build_result, evaluators_of
from i2vkit.evaluation.sharing import SharingEvaluator
from i2vkit.media import atomic_path, write_image, write_video
from i2vkit.models.generator_weights import load_generator
from i2vkit.registry import DATA_SAMPLERS, MODELS, PROTOCOLS, SCOPE, arguments_of, build_part, closest_names, find_part
from i2vkit.utils.distinct_names import file_names
from i2vkit.utils.run_names import run_name
from i2vkit.values import check_output_folder, refuse_values
from i2vkit.visualization import comparison_strip, to_frames
from i2vkit.visualization.curves import plot_curves


def test(
    cfg: Config,
    checkpoint: str | Path,
    protocol: str | None = None,
    out: str | Path | None = None,
    save_videos: bool = False,
    seed: int | None = None,
    options: dict[str, Any] | None = None,
    precision: str | None = None,
    compile: bool = False,
    launcher: str = "none",
) -> dict[str, Any]:
    """Generate the samples of a protocol, score them and write ``out/metrics.json``.

    ``out/samples.json`` is the list of samples alone, which you can give to another model as its protocol. An
    interrupted test leaves no partial files.

    Args:
        cfg: A config from ``load_config``.
        checkpoint: A ``.pth`` of a training, a work dir, or a ``.safetensors`` of ``tools/export.py``.
        protocol: A key of ``cfg.protocols``, or the path of a ``.json`` list of samples. By default the first key.
        out: The folder of the results. By default ``work_dirs/<config>/test/<protocol>``.
        save_videos: Also write every generated video to ``out/videos`` (.mp4, to look at), and a strip of it beside its
            ground truth to ``out/strips``.
        seed: The seed of the first sample's noise. By default the protocol's own.
        options: The changes with which ``cfg`` was loaded. They are only recorded with the result.
        precision: The precision of the model, "fp32", "tf32" or "bf16". By default the config's. Metrics compute in
            fp32.
        compile: Compile the parts of the generator. This pays if many samples have one shape. By default False.
        launcher: "pytorch" (torchrun) or "slurm" if several processes share the samples. The first process gathers and
            writes the results, and each process writes the videos of its own samples. By default "none".

    Returns:
        The content of ``metrics.json`` in every process, see ``build_result``.

    Raises:
        I2VError: The config, the data or the checkpoint is wrong, or the disk fails.
    """
    refuse_values(seed=(seed, int | None))
    if not cfg.get("model") or not cfg.get("test_dataloader"):
        raise ConfigError(f"{cfg.filename or 'the config'} cannot be tested: it needs model and test_dataloader")
    check_batch(cfg, "test")
    if out is not None:
        check_output_folder(out)
    init_distributed(launcher, cfg.get("env_cfg", {}).get("dist_cfg"))
    checkpoint = checkpoint_file(checkpoint)
    cfg = cfg if precision is None else with_precision(cfg, precision)
    name, plan = build_protocol(cfg, protocol, seed)
    out = Path(out or Path(cfg.get("work_dir") or Path("work_dirs") / Path(cfg.filename).stem) / "test" / name)
    with result_errors(out):
        with DefaultScope.overwrite_default_scope(SCOPE):
            model = MODELS.build(cfg.model)
            load_generator(model, checkpoint)
            if compile:
                compile_parts(model, compile_options(True))
            dataset = DATASETS.build(
                {**cfg.test_dataloader.dataset, "pair_sampler": plan, **uncached_data_options(cfg)}
            )
            check_motion(model, dataset.pairs)
            hooks = [LabelsHook(), *([SaveVideosHook(out, dataset.pairs)] if save_videos else [])]
            evaluators = evaluators_of(cfg)
            metrics = plan.evaluators(dataset.pairs, evaluators)
            runner = build_runner(cfg, model, dataset, out / "log", hooks, metrics, launcher)
        for metric, reason in plan.left_out(dataset.pairs, evaluators).items():
            runner.logger.warning(f"{metric} is left out: {reason}")
        everyone = getattr(dataset, "everyone", None)
        people = shared_people(everyone, train_data(cfg), cfg.test_dataloader.dataset) if everyone is not None else []
        if shared := describe_shared(people, ["test"]):
            runner.logger.warning(shared)
        # The metrics are built, and compute, here: by their short names, and in fp32, since the model switches to its
        # own.
        with DefaultScope.overwrite_default_scope(SCOPE), computing_in("fp32"):
            scores = runner.test()
        found: list[Any] = [None]  # the other processes receive the result here
        if is_main_process():
            result = build_result(cfg, checkpoint, name, plan, runner, scores) | {
                "options": options or {},
                "compiled": compile,
            }
            if shared:
                result.setdefault("warnings", {})["people"] = shared
            write_samples(dataset.pairs, out / "samples.json", result["protocol"])
            if "curves" in result:
                plot_curves(result["curves"], out / "curves.png", f"{result['config']}: {name}")
            with atomic_path(out / "metrics.json") as temporary:
                temporary.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
            found = [result]
        broadcast_object_list(found)
        return found[0]


# Otherwise pytest would collect this function as a test in modules that import it.
test.__test__ = False  # type: ignore[attr-defined]  # mypy knows no attributes of functions


def train_data(cfg: Config) -> dict:
    """Return the config of the training data, empty if the config has none."""
    return (cfg.get("train_dataloader") or {}).get("dataset") or {}


def uncached_data_options(cfg: Config) -> dict[str, None]:
    """Return changes to the data of a test that disable the cache, so that memory does not grow with the videos.

    Each clip is read once for each sample, so a cache in memory would not help. A cache in a file stays.
    """
    return {} if cfg.test_dataloader.dataset.get("cache") == "file" else {"cache": None}


def build_protocol(cfg: Config, name: str | None, seed: int | None = None) -> tuple[str, Protocol]:
    """Return the name and the protocol that ``name`` means: one of the config, or a list of samples.

    The protocol "reconstruction" always exists.

    Raises:
        ConfigError: There is no protocol of that name.
    """
    own = {name: entry for name, entry in (cfg.get("protocols") or {}).items() if entry is not None}
    known = {"reconstruction": {"type": Reconstruction}, **own}
    if name and name.endswith(".json"):
        name, entry = Path(name).stem, {"type": SampleList, "path": name}
    else:
        name = name or next(iter(own or known))
        if name not in known:
            raise ConfigError(f"there is no protocol {name!r}; nearest: {closest_names(name, known)}")
        entry = dict(known[name])
    plan = build_part(PROTOCOLS, entry | ({} if seed is None else {"seed": seed}))
    plan.name = name
    return name, plan


def check_motion(model: Any, pairs: Sequence[Pair]) -> None:
    """Raise ``ConfigError`` if the model cannot make the samples.

    It cannot if they need a prior that the model does not have, if several videos of an image would be identical, if
    they have labels that the model does not read, or if some take their motion from videos and others from a prior,
    since these cannot share a batch.
    """
    generator = getattr(model, "generator", None)
    drawn = Counter(pair.name for pair in pairs if pair.motion == "prior")
    has_prior = generator is not None and generator.has_prior
    varies = generator is not None and has_prior and generator.is_random("prior")
    if drawn and not (has_prior and (varies or max(drawn.values()) == 1)):
        raise ConfigError(
            "this protocol draws motion at random, but this model is deterministic: it takes its motion from "
            "a video or a label and from nothing else. Choose another one (--protocol reconstruction or transfer)"
        )
    if any(pair.label is not None for pair in pairs) and not (generator is not None and generator.reads_label):
        raise ConfigError(
            "this protocol asks for labels, and this model reads none. Choose another one (--protocol reconstruction)"
        )
    # A batch has one pass, and that takes its motion either from videos or from the prior.
    if 0 < drawn.total() < len(pairs):
        raise ConfigError(
            "of these samples some take their motion from a video and some from the prior: make two lists of them"
        )


def build_runner(
    cfg: Config,
    model: Any,
    dataset: Any,
    work_dir: Path,
    hooks: list[Hook],
    evaluators: Sequence[dict],
    launcher: str = "none",
) -> Runner:
    """Return a runner that can only test, without optimiser, checkpoints and training hooks."""
    randomness = dict(cfg.get("randomness") or {})
    randomness.setdefault("seed", 0)
    evaluator, wrapper = list(evaluators), None
    loader = {**cfg.test_dataloader, "dataset": dataset}
    if launcher != "none":
        loader["sampler"] = whole_images(loader["sampler"])
        wrapper = {"model_wrapper_cfg": {"type": ReplicatedModel}}
    loader = Runner.build_dataloader(loader, seed=randomness["seed"])
    if launcher != "none":
        evaluator = SharingEvaluator(evaluator, getattr(loader.sampler, "indices", None))
    return ConsoleRunner(
        model=model,
        work_dir=str(work_dir),
        test_dataloader=loader,
        test_cfg=cfg.get("test_cfg") or {},
        test_evaluator=evaluator,
        default_hooks={"checkpoint": None, "param_scheduler": None},
        custom_hooks=hooks,
        launcher=launcher,
        env_cfg=cfg.get("env_cfg") or ConfigDict(dist_cfg={"backend": "nccl"}),
        log_processor={"by_epoch": False},
        log_level=cfg.get("log_level", "INFO"),
        default_scope=SCOPE,
        randomness=randomness,
        experiment_name=run_name(work_dir.parent.name),
        cfg=wrapper,
    )


def whole_images(sampler: dict) -> dict:
    """Return a sampler's config that keeps all samples of an image in one process, if the sampler supports that."""
    takes = arguments_of(find_part(DATA_SAMPLERS, sampler["type"])) or ()
    return {**sampler, "keep_images": True} if "keep_images" in takes else sampler


class SaveVideosHook(Hook):
    """A hook that writes each generated video, and a strip of it with its ground truth, as soon as it is generated.

    Args:
        out: The folder for ``videos`` and ``strips``.
        pairs: The samples. No two different ones share a file.
    """

    def __init__(self, out: Path, pairs: Sequence[Pair] = ()) -> None:
        self.out = out
        self._names = file_names({_file_key(pair): _file_name(pair) for pair in pairs})

    def after_test_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: Any = None) -> None:
        """Write a batch, each file under its sample's name. Names of sampled videos end with their seed."""
        for sample in (sample for sample in outputs if "generated" in sample):
            name = self._names.get(_file_key(sample)) or _file_name(sample)
            write_video(self.out / "videos" / f"{name}.mp4", to_frames(sample.generated), sample.get("fps", 25.0))
            write_image(self.out / "strips" / f"{name}.png", comparison_strip([sample]))


def _file_key(sample: Any) -> tuple[str, int | None]:
    """Return that which tells a sample, or its pair, from others: the name, and the seed of sampled videos."""
    return sample.name, sample.seed if getattr(sample, "motion", None) == "prior" else None


def _file_name(sample: Any) -> str:
    """Return the name of the file of a sample, or of its pair, without a suffix."""
    name, seed = _file_key(sample)
    return name.replace("/", "_") + ("" if seed is None else f"_seed{seed}")
