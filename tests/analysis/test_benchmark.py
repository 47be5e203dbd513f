"""Benchmarks: turns, medians and ratios by a fake clock; and that the data benchmark counts what it says."""

import json
import mmap
import subprocess
import sys
import time
from pathlib import Path

import narrow
import numpy as np
import pytest
import tiny
import torch
from mmengine.config import Config
from PIL import Image
from torch import nn

import i2vkit.models.layers.transposed_1p2d as layer
from i2vkit.analysis.benchmark import benchmark_decoder, benchmark_step, generators, loaders, timing
from i2vkit.analysis.benchmark import decoder as decoder_benchmark
from i2vkit.analysis.benchmark import step as step_benchmark
from i2vkit.analysis.benchmark.data import LoaderBenchmark, benchmark_data, format_data, plain_frames
from i2vkit.analysis.benchmark.timing import InterleavedTimes, PeakMemory, environment_info, time_interleaved
from i2vkit.analysis.benchmark.waiting import WARM_UP, WaitingHook, waiting_share
from i2vkit.config.loading import load_config
from i2vkit.datasets import FrameFolder, FrameSpan, FrameStrip, VideoFile
from i2vkit.datasets.loaders import build_loader, default_workers
from i2vkit.errors import ConfigError, DataError
from i2vkit.media import write_image, write_video
from i2vkit.models.layers import cpu_kernels
from i2vkit.registry import MODELS
from i2vkit.structures import VideoSample

ROOT = Path(__file__).resolve().parents[2]
CONFIG = """
from i2vkit.datasets import ClipDataset, ClipFolder, PositionSampler
from i2vkit.datasets.transforms import PackClip, RandomWindow, ReadFrames

train_dataloader = dict(
    batch_size=3,
    num_workers=0,
    dataset=dict(
        type=ClipDataset,
        reader=dict(type=ClipFolder, root={root!r}),
        pair_sampler=dict(type="OtherPerson"),
        pipeline=dict(window=dict(type=RandomWindow, length=4), read=dict(type=ReadFrames), pack=dict(type=PackClip)),
    ),
    sampler=dict(type=PositionSampler),
    collate_fn=dict(type="pseudo_collate"),
)
"""


class Clock:
    """Time that passes only when told to."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now

    def work(self, *seconds):
        """A candidate that takes these times, one a call, the last for good."""
        left = list(seconds)

        def run():
            self.now += left.pop(0) if len(left) > 1 else left[0]

        return run


# Timing


def test_contenders_take_turns_and_the_first_round_warms_up():
    clock, order = Clock(), []

    def candidate(name, work):
        return lambda: (order.append(name), work())

    turns = time_interleaved(
        {"a": candidate("a", clock.work(50.0, 1, 2, 9, 2, 2)), "b": candidate("b", clock.work(50.0, 4.0))},
        0,
        clock=clock,
    )
    assert "".join(order) == "baabbaabbaab"
    assert turns.seconds == {"a": [1, 2, 9, 2, 2], "b": [4, 4, 4, 4, 4]}
    assert (turns.median("a"), turns.median("b")) == (2, 4)
    assert turns.ratio("a", "b") == 2 and turns.ratio("b", "a") == 0.5
    assert turns.ratio_range("a", "b") == (4 / 9, 4)


def test_a_ratio_is_the_median_of_the_rounds_own_ratios():
    """A machine that is three times slower in two of three rounds changes nothing."""
    turns = InterleavedTimes({"a": [1.0, 3.0, 3.0], "b": [2.0, 6.0, 6.0]}, {"a": None, "b": None})
    assert turns.ratio("a", "b") == 2.0


def test_rounds_go_on_until_the_time_is_up_and_what_comes_before_is_not_timed():
    clock = Clock()
    turns = time_interleaved({"a": clock.work(1.0)}, 35.0, before={"a": clock.work(4.0)}, clock=clock)
    assert turns.seconds == {"a": [1.0] * 6}  # 7 rounds of 5 seconds, the first of which does not count
    assert len(time_interleaved({"a": clock.work(100.0)}, 1.0, clock=clock).seconds["a"]) == timing.LEAST_ROUNDS


def test_long_rounds_are_few_but_one_counts():
    clock = Clock()
    turns = time_interleaved({"a": clock.work(7.0, 8.0)}, 1.0, clock=clock, warm=True, most=10.0)
    assert turns.seconds == {"a": [7.0, 8.0]}  # a third would begin after 15 seconds
    assert time_interleaved({"a": clock.work(20.0)}, 1.0, clock=clock, most=10.0).seconds == {"a": [20.0]}
    assert len(time_interleaved({"a": clock.work(1.0)}, 0.0, clock=clock, warm=True, most=10.0).seconds["a"]) == 5


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="known on Linux only")
def test_peak_memory_is_that_of_the_body():
    with PeakMemory() as before:
        pass
    # A mapping is given back when it is closed, which memory of the allocator need not be.
    with PeakMemory() as large, mmap.mmap(-1, 200 * 2**20) as held:
        for start in range(0, len(held), 2**20):
            held[start : start + 2**20] = b"1" * 2**20
    with PeakMemory() as after:
        pass
    assert 195 * 2**20 < large.bytes - before.bytes < 230 * 2**20
    assert after.bytes < before.bytes + 50 * 2**20


def test_peak_memory_that_cannot_be_told_is_none(monkeypatch):
    monkeypatch.setattr(timing, "_write", lambda path, text: False)
    with PeakMemory() as memory:
        pass
    assert memory.bytes is None
    assert time_interleaved({"a": lambda: None}, 0).peak_bytes == {"a": None}


def test_surroundings_can_be_written():
    around = json.loads(json.dumps(environment_info()))
    assert around["versions"]["torch"] == torch.__version__.partition("+")[0] and around["cores"] >= 1


# Data


@pytest.fixture
def config(tmp_path) -> Path:
    """Two people, two clips each, of 6 noisy frames."""
    rng = np.random.default_rng(0)
    for name in ("ann/run/a", "ann/run/b", "bob/run/a", "bob/run/b"):
        for t in range(6):
            write_image(tmp_path / "clips" / name / f"{t}.png", rng.integers(0, 255, (10, 12, 3), dtype=np.uint8))
    path = tmp_path / "config.py"
    path.write_text(CONFIG.format(root=str(tmp_path / "clips")))
    return path


def test_the_numbers_of_a_run(config):
    result = benchmark_data(load_config(config), seconds=0.2)
    assert (result["benchmark"], result["config"], result["batch_size"], result["workers"]) == ("data", "config", 3, 0)
    for name, clips in result["clips_per_second"].items():
        assert result["frames_per_second"][name] == pytest.approx(
            8 * clips
        )  # four frames of driving clip and image video each
    assert result["ratio_range"][0] <= result["ratio"] <= result["ratio_range"][1]
    assert result["rounds"] >= 5 and set(result["peak_bytes"]) == {"loader", "plain reader"}
    json.dumps(result)
    text = format_data(result)
    assert "clips a second" in text and "times as fast" in text and "batches of 3, 0 workers" in text


def test_workers_with_queues(config):
    options = {"train_dataloader.num_workers": 1, "train_dataloader.persistent_workers": True}
    result = benchmark_data(load_config(config, options), seconds=0.2)
    assert result["workers"] == 1 and result["ratio"] > 0


def test_a_reader_that_gives_other_frames_is_no_measure(config, monkeypatch):
    loader = build_loader(load_config(config), "train")
    LoaderBenchmark(loader).check()
    monkeypatch.setattr(Image.Image, "convert", lambda self, mode: self.transpose(Image.Transpose.FLIP_LEFT_RIGHT))
    with pytest.raises(DataError, match=r"clip \w+/run/\w: the plain reader gives other frames"):
        LoaderBenchmark(loader).check()


def test_plain_frames(tmp_path):
    frames = np.random.default_rng(0).integers(0, 255, (3, 8, 8, 3), dtype=np.uint8)
    for t, frame in enumerate(frames):
        write_image(tmp_path / f"{t}.png", frame)
    write_image(tmp_path / "strip.png", np.concatenate(list(frames), axis=1))
    folder = FrameFolder(tuple(tmp_path / f"{t}.png" for t in range(3)))
    assert np.array_equal(plain_frames(folder, [2, 0]), frames[[2, 0]])
    assert np.array_equal(plain_frames(FrameStrip(tmp_path / "strip.png", 8), [1, 2]), frames[[1, 2]])
    assert np.array_equal(plain_frames(FrameSpan(folder, 1, 3, 3), np.array([1])), frames[[2]])
    assert plain_frames(VideoFile(tmp_path / "clip.mp4"), [0]) is None


def test_videos_have_no_plain_reader(config, tmp_path):
    for person in ("ann", "bob"):
        for clip in "ab":
            write_video(tmp_path / f"videos/{person}/run/{clip}.mkv", np.zeros((6, 16, 16, 3), np.uint8))
    result = benchmark_data(
        load_config(config, {"train_dataloader.dataset.reader.root": str(tmp_path / "videos")}), seconds=0.1
    )
    assert "ratio" not in result and set(result["clips_per_second"]) == {"loader"}
    assert "no plain reader" in format_data(result)


def test_the_plain_reader_is_compared_with_clips_on_the_device_too(config):
    options = {"train_dataloader.dataset.cache": "device", "train_dataloader.collate_fn.type": "collate_clips"}
    options["train_dataloader.collate_fn.samples"] = False
    result = benchmark_data(load_config(config, options), seconds=0.1)
    assert set(result["clips_per_second"]) == {"loader", "plain reader"}


def test_loaders_beside_one_another(config):
    options = {"train_dataloader.collate_fn.type": "collate_clips", "train_dataloader.collate_fn.samples": False}
    result = json.loads(json.dumps(loaders.benchmark_loaders(load_config(config, options), seconds=0.1)))
    rows = {(row["cache"], row["workers"]): row for row in result["loaders"]}
    assert set(rows) == {
        ("memory", 0),
        ("memory", default_workers("train")),
        ("memory", 2),
        ("device", 0),
        ("device", 2),
    }
    clip = 3 * 4 * 10 * 12
    for (cache, _), row in rows.items():
        assert row["clips_per_second"] > 0 and not row["pinned"]
        videos = 3 * 2 * clip + 3 * clip // 4 + 3 * 8  # driving clip and image video, image, label
        assert videos < row["bytes_sent"] < videos + 1000 if cache == "memory" else row["bytes_sent"] < 3000
    text = loaders.format_loaders(result)
    assert "cache='device', 2 workers" in text and "clips a second" in text


def test_a_loader_that_cannot_be_says_why(config):
    cfg = load_config(config)
    pack = cfg.train_dataloader.dataset.pipeline.pop("pack")
    cfg.train_dataloader.dataset.pipeline.update(states=dict(type="LabelStates", by="displacement"), pack=pack)
    rows = loaders.benchmark_loaders(cfg, seconds=0.05)["loaders"]
    assert [("impossible" in row) for row in rows] == [row["cache"] == "device" for row in rows]
    assert "cannot do LabelStates(by='displacement')" in rows[-1]["impossible"]
    with pytest.raises(ConfigError, match="there is no GPU here"):
        loaders.benchmark_loaders(cfg, device="cuda")


def test_bytes_are_those_of_every_storage_once():
    video = torch.zeros(1000, dtype=torch.uint8)
    sample = VideoSample(metainfo=dict(name="a"))
    sample.driving, sample.truth = video, video[10:]
    alone = loaders.sent_bytes(dict(inputs=dict(driving=video), data_samples=[]))
    assert 1000 < alone < 1200
    assert alone < loaders.sent_bytes(dict(inputs=dict(driving=video), data_samples=[sample])) < alone + 1000
    sample.truth = video.clone()
    assert loaders.sent_bytes(dict(inputs=dict(driving=video), data_samples=[sample])) > alone + 1000


# Waiting


def test_waiting_is_what_passes_between_steps():
    clock = Clock()
    hook = WaitingHook(clock)
    for step in range(WARM_UP + 2):
        clock.now += 50.0 if step < WARM_UP else 1.0
        hook.before_train_iter(None, step)
        clock.now += 3.0
        hook.after_train_iter(None, step)
    assert (hook.waited, hook.total) == (2.0, 8.0)


def test_a_training_waits_for_slow_data(tmp_path, monkeypatch):
    cfg = tiny.tiny_config(tmp_path, 100)
    fast = waiting_share(cfg, steps=3)
    assert 0 < fast < 1 and not list(tmp_path.iterdir())
    item = tiny.Numbers.__getitem__
    monkeypatch.setattr(tiny.Numbers, "__getitem__", lambda self, key: (time.sleep(0.1), item(self, key))[1])
    assert waiting_share(cfg, steps=3) > max(0.5, fast)


def test_data_alone_have_no_steps(config):
    with pytest.raises(ConfigError, match=r"config\.py describes no training: leave --steps out"):
        waiting_share(load_config(config), 3)


def test_the_tool_prints_and_writes(config, tmp_path):
    out = tmp_path / "result.json"
    command = [sys.executable, "tools/benchmark.py", "data", str(config), "--seconds", "0.1", "--out", str(out)]
    command += ["--cfg-options", "train_dataloader.batch_size=2"]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert "times as fast" in result.stdout and json.loads(out.read_text())["batch_size"] == 2


# Decoder and step


def narrow_imaginator(**changes) -> Config:
    """ImaGINator, narrow, with a plain Adam."""
    generator = {
        "content_encoder": narrow.NARROW["ConvPyramidEncoder"],
        "motion_encoder": None,
        "motion_generator": narrow.NARROW["LabelFusion"],
        "decoder": narrow.NARROW["TransposedConv1p2dDecoder"],
    }
    model = narrow.gan_config(
        generator=generator | changes,
        discriminators=dict(video=narrow.discriminator("VideoDiscriminator", "WholeClip", condition="label")),
        phases=dict(
            discriminators=dict(
                updates=["discriminators.video"],
                losses=dict(video_discriminator=dict(type="DiscriminatorLoss", discriminator="video")),
            ),
            generator=dict(
                updates=["generator"],
                losses=dict(
                    video_adversarial=dict(type="AdversarialLoss", discriminator="video"),
                    frame_l1=dict(type="FrameL1Loss"),
                ),
            ),
        ),
    )
    optimizer = dict(type="Adam", lr=1e-4, fused=True)
    return Config(
        dict(model=model, optim_wrapper=dict(constructor="PhaseOptimWrapperConstructor", optimizer=optimizer))
    )


def test_the_fast_decoder_beside_the_plain_one_and_another():
    other = narrow_imaginator(decoder=narrow.NARROW["TransposedConv3dDecoder"])
    result = json.loads(json.dumps(benchmark_decoder(narrow_imaginator(), seconds=0, batch=2, against=other)))
    half = {"reference, bf16", "fast, bf16", "fast, bf16, folded"}
    assert result["precisions"] == ["fp32", "bf16"]
    assert set(result["inference"]["ratio"]) == {"reference", "fast", "fast, folded"} | half
    assert set(result["training"]["ratio"]) == {"reference", "fast", "reference, bf16", "fast, bf16"}
    for kind in ("inference", "training"):
        assert result[kind]["ratio"]["reference"] == 1 and result[kind]["rounds"] >= 5
        assert result[kind]["precision"]["fast"] == "fp32" and result[kind]["precision"]["fast, bf16"] == "bf16"
        assert result[kind]["difference"]["fast"] < 1e-5 < result[kind]["difference"]["fast, bf16"]
    assert result["decoders"]["bf16"]["training"]["reference"] == "other decoder, training"
    assert result["parameters"]["other decoder"] == pytest.approx(result["parameters"]["fast"], rel=0.1)
    assert {"versions", "threads", "processor", "cores", "device", "batch_size", "frames"} <= set(result)
    text = decoder_benchmark.format_decoder(result)
    assert "fast, bf16, folded" in text and "decoders, fp32:" in text


def rounded_to_tf32(convolution):
    """``convolution`` as a GPU computes it: operands of 10 bits where TF32 is allowed."""

    def round_off(x):
        return torch.from_numpy((x.detach().numpy().view(np.uint32) + 0x1000 & 0xFFFFE000).view(np.float32))

    def run(x, weight, *rest):
        if torch.backends.cudnn.allow_tf32 and x.dtype == torch.float32 and not torch.is_autocast_enabled("cpu"):
            x, weight = (each + (round_off(each) - each.detach()) for each in (x, weight))
        return convolution(x, weight, *rest)

    return run


def test_forms_agree_with_tf32_off_and_are_timed_with_it_on(monkeypatch):
    """What a GPU does, by default in convolutions only: the reference form is made of those, the fast one of
    products.
    """
    monkeypatch.setattr("torch.nn.functional.conv_transpose3d", rounded_to_tf32(nn.functional.conv_transpose3d))
    monkeypatch.setattr(cpu_kernels, "reference_is_faster", lambda x: False)
    for benchmark in (decoder_benchmark, step_benchmark):
        monkeypatch.setattr(benchmark, "precisions_of", lambda *_: ("fp32", "tf32"))
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", True)  # as PyTorch has it
    result = benchmark_decoder(narrow_imaginator(), seconds=0, batch=2)
    for kind in ("inference", "training"):
        assert {"reference, tf32", "fast, tf32"} < set(result[kind]["ratio"])
        assert result[kind]["precision"]["fast, tf32"] == "tf32"
        assert result[kind]["difference"]["fast"] < 1e-5 < result[kind]["difference"]["reference, tf32"]
    result = benchmark_step(narrow_imaginator(), seconds=0, batch=2)
    assert result["step"]["precision"] == {"reference": "fp32", "fast": "fp32", "fast, tf32": "tf32"}
    assert torch.backends.cudnn.allow_tf32 is True


@pytest.mark.slow
def test_compiled_contenders(monkeypatch):
    torch._dynamo.reset()
    for benchmark in (decoder_benchmark, step_benchmark):
        monkeypatch.setattr(benchmark, "compile_options", lambda value: dict(backend="eager", dynamic=False))
    result = benchmark_decoder(narrow_imaginator(), seconds=0, batch=2, compiled=True, precisions=["bf16"])
    assert result["inference"]["precision"]["fast, bf16, folded, compiled"] == "bf16"
    assert result["training"]["difference"]["fast, bf16, compiled"] > 0
    result = benchmark_step(narrow_imaginator(), seconds=0, batch=2, compiled=True)
    assert result["step"]["precision"] == {"reference": "fp32", "fast": "fp32", "fast, compiled": "fp32"}
    torch._dynamo.reset()


def test_cudnn_tries_algorithms_as_the_training_does():
    assert not torch.backends.cudnn.benchmark
    with generators.cudnn_as_configured(Config(dict(env_cfg=dict(cudnn_benchmark=True)))):
        assert torch.backends.cudnn.benchmark
        with generators.cudnn_as_configured(Config({})):
            assert not torch.backends.cudnn.benchmark
    assert not torch.backends.cudnn.benchmark


def test_precisions_that_are_measured():
    assert generators.precisions_of("cuda") == ("fp32", "tf32", "bf16")
    assert generators.precisions_of("cpu", ["bf16", "tf32"]) == ("fp32", "bf16")
    assert generators.precisions_of("cuda", ["fp32"]) == ("fp32",)
    with pytest.raises(ConfigError, match="not 'fp16'"):
        generators.precisions_of("cpu", ["fp16"])


def test_a_decoder_that_computes_something_else_is_no_measure(monkeypatch):
    product = layer.temporal_product
    monkeypatch.setattr(layer, "temporal_product", lambda *arguments: 1.1 * product(*arguments))
    with pytest.raises(ConfigError, match="the output of 'fast' differs from that of 'reference' by"):
        benchmark_decoder(narrow_imaginator(), seconds=0, batch=2)


def test_agreement_has_a_tolerance_for_each_precision():
    outputs = {"reference": torch.zeros(100), "fast": torch.zeros(100), "fast, bf16": torch.zeros(100)}
    outputs["fast, bf16"][0] = 1.0  # 0.01 on average
    assert decoder_benchmark.check_agreement(outputs, "reference")["fast, bf16"] == 1
    assert decoder_benchmark.check_agreement(outputs | {"fast, tf32": torch.full((100,), 9e-3)}, "reference")
    for name, value in (("fast", 2e-3), ("fast, tf32", 0.02), ("fast, bf16", 0.1), ("fast", float("nan"))):
        with pytest.raises(ConfigError, match=f"output of '{name}' differs"):
            decoder_benchmark.check_agreement(outputs | {name: torch.full((100,), value)}, "reference")


def test_generators_without_such_layers_have_no_plain_form():
    with pytest.raises(ConfigError, match="no layer of its generator has a reference form"):
        benchmark_decoder(Config(dict(model=narrow.gan_config())), seconds=0)


def test_what_was_measured_as_it_is_written():
    turns = InterleavedTimes({"a": [2.0, 4.0, 6.0], "b": [1.0, 1.0, 1.0]}, {"a": 5, "b": None})
    assert timing.speed_report(turns, "a", ["a", "b"]) == {
        "reference": "a",
        "rounds": 3,
        "milliseconds": {"a": 4000, "b": 1000},
        "ratio": {"a": 1, "b": 4},
        "ratio_range": {"a": (1, 1), "b": (2, 6)},
        "peak_bytes": {"a": 5, "b": None},
    }


def test_a_training_step_beside_the_plain_one():
    result = json.loads(json.dumps(benchmark_step(narrow_imaginator(), seconds=0, batch=2, precisions=["bf16"])))
    assert (
        set(result["step"]["ratio"]) == {"reference", "fast", "fast, bf16"}
        and result["step"]["ratio"]["reference"] == 1
    )
    reference, fast = (result["step"]["losses"][name] for name in ("reference", "fast"))
    assert len(reference) == 2 and reference[0] != reference[1]
    for expected, found in zip(reference, fast, strict=True):
        assert found == pytest.approx(expected, rel=1e-3)
    assert set(result["parameters"]) == {"generator", "discriminators"}
    assert "fast, bf16" in step_benchmark.format_step(result)


def test_the_plain_step_freezes_nothing_and_leaves_no_gradients():
    cfg = narrow_imaginator()
    model = MODELS.build(cfg.model)
    trainer = step_benchmark.Trainer(
        model,
        step_benchmark.reference_optimizers(cfg.optim_wrapper),
        step_benchmark.random_batch(model, 16, 2),
        reference=True,
    )
    asked = []
    model.discriminators.video.register_forward_hook(
        lambda discriminator, *_: asked.append(next(discriminator.parameters()).requires_grad)
    )
    trainer.step()
    assert len(asked) >= 2 and all(asked)
    assert all(parameter.grad is None for parameter in model.parameters())
    assert not any(block.reference for block in model.generator.decoder.blocks)


def test_a_step_that_trains_otherwise_is_no_measure():
    with pytest.raises(
        ConfigError, match=r"'fast' trains differently from 'reference': loss 'l1' of step 2 is 1\.5, not 1"
    ):
        step_benchmark.check_losses(
            {"reference": [{"l1": 1.0}] * 2, "fast": [{"l1": 1.0}, {"l1": 1.5}]}, {"reference": "fp32", "fast": "fp32"}
        )


def test_the_gpu_must_be_there(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    for benchmark in (benchmark_decoder, benchmark_step):
        with pytest.raises(ConfigError, match="there is no GPU here"):
            benchmark(narrow_imaginator(), device="cuda")


def test_a_generator_on_maps_beside_its_frames_one_by_one():
    options = {"model.image_size": narrow.SIZE, "model.discriminators.frame.network.width": 4}
    for part in ("content_encoder", "motion_encoder", "decoder"):
        options |= {f"model.generator.{part}.width": 4, f"model.generator.{part}.max_width": 8}
    cfg = load_config("frgan_forecast_mug", options)
    generator, clip = generators.build(cfg, 2, "cpu")
    assert clip.driving.shape[2] == 32 and clip.driving_maps.shape == (2, 3, 32, narrow.SIZE, narrow.SIZE)
    generators.calibrate_batch_norm(generator, clip)
    fast, reference = (generators.run(generator.eval(), clip, reference) for reference in (False, True))
    assert torch.allclose(fast, reference, atol=1e-5) and fast[:, :, 3:].std() > 0.01
    assert generators.step_length(cfg) == 1
    result = benchmark_decoder(cfg, seconds=0, frames=3)
    assert (result["batch_size"], result["frames"]) == (1, 3)
    assert result["trained_on"] == {"batch_size": 8, "frames": 1}
    assert "training, 8 clips of 1 frames:" in decoder_benchmark.format_decoder(result)
    result = benchmark_step(cfg, seconds=0, batch=2)
    assert result["frames"] == 1 and result["step"]["losses"]["fast"]
