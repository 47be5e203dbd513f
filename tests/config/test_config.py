import ast
import inspect
import textwrap
from pathlib import Path

import pytest
from mmengine.runner import Runner

from i2vkit.config.finding import config_names
from i2vkit.config.loading import load_config
from i2vkit.config.slots import REFUSED, RUNNER_KEYS
from i2vkit.errors import ConfigError
from i2vkit.models.decoders import FrameDecoder, UNetDecoder

BASE = """
from mmengine.config import read_base
from mmengine.runner import IterBasedTrainLoop
from torch.optim import Adam

from i2vkit.datasets import ClipDataset, ClipFolder, PositionSampler
from i2vkit.datasets.transforms import FirstFrames, PackClip, ReadFrames
from i2vkit.engine.optimizers import PhaseOptimWrapperConstructor
from i2vkit.engine.saving import SafeCheckpointHook
from i2vkit.models import ImageToVideoGan
from i2vkit.models.decoders import UNetDecoder
from i2vkit.models.heads import DirectHead
from i2vkit.models.losses import FrameL1Loss

_size = 32


def _helper():
    return 3


default_scope = "i2vkit"
model = dict(
    type=ImageToVideoGan,
    image_size=_size,
    generator=dict(
        motion_generator=None,
        decoder=dict(type=UNetDecoder, widths=(8, 8), dropout=0.5),
        head=dict(type=DirectHead),
    ),
    passes=dict(reconstruct=dict(content="driving")),
    phases=dict(generator=dict(updates=["generator"], losses=dict(frame_l1=dict(type=FrameL1Loss, weight=10.0)))),
)
train_dataloader = dict(
    batch_size=4,
    num_workers=0,
    dataset=dict(
        type=ClipDataset,
        reader=dict(type=ClipFolder, root="data"),
        pipeline=dict(window=dict(type=FirstFrames, length=8), read=dict(type=ReadFrames), pack=dict(type=PackClip)),
    ),
    sampler=dict(type=PositionSampler, batch_size=4),
)
optim_wrapper = dict(constructor=PhaseOptimWrapperConstructor, optimizer=dict(type=Adam, lr=1e-3))
train_cfg = dict(type=IterBasedTrainLoop, max_iters=10)
default_hooks = dict(checkpoint=dict(type=SafeCheckpointHook, interval=5))
randomness = dict(seed=0)
"""


@pytest.fixture
def config(tmp_path):
    """Load the config above, with lines added to it and options over it."""

    def load(options=None, more=""):
        path = tmp_path / "mine.py"
        path.write_text(BASE + more)
        return load_config(path, options)

    return load


def test_a_config_holds_its_keys_and_nothing_private(config):
    cfg = config()
    assert "_size" not in cfg and "_helper" not in cfg and "Adam" not in cfg and "read_base" not in cfg
    assert cfg.model.image_size == 32
    assert "type='i2vkit.models.decoders.UNetDecoder'" in cfg.pretty_text.replace("\n", "")
    assert Path(cfg.filename).name == "mine.py"


def test_a_dumped_config_loads_again(config, tmp_path):
    config({"model.generator.decoder.type": "FrameDecoder"}).dump(str(tmp_path / "dumped.py"))
    again = load_config(tmp_path / "dumped.py")
    assert again.model.generator.decoder == dict(type="FrameDecoder")
    assert again.model.image_size == 32


def test_every_installed_config_is_found_by_name():
    names = config_names()
    assert "dtgan_oulu" in names
    assert not any(name.startswith("_") for name in names)
    one, other, third = (load_config(name) for name in ("dtgan_oulu", "dtgan_oulu.py", "configs/dtgan_oulu.py"))
    assert one.filename == other.filename
    assert one.pretty_text == third.pretty_text
    with pytest.raises(ConfigError, match=r"no config 'dtgan_olu'.*nearest: dtgan_oulu"):
        load_config("dtgan_olu")


def test_a_swapped_part_drops_the_old_ones_arguments_and_keeps_the_given(config):
    decoder = config({"model.generator.decoder.type": "FrameDecoder"}).model.generator.decoder
    assert decoder == dict(type="FrameDecoder")
    decoder = config(
        {"model.generator.decoder.widths": [4, 4], "model.generator.decoder.type": FrameDecoder}
    ).model.generator.decoder
    assert decoder == dict(type=FrameDecoder, widths=[4, 4])
    decoder = config({"model.generator.decoder": dict(type="FrameDecoder", widths=[4])}).model.generator.decoder
    assert decoder == dict(type="FrameDecoder", widths=[4])


def test_the_same_part_keeps_its_arguments(config):
    decoder = config(
        {"model.generator.decoder.type": "UNetDecoder", "model.generator.decoder.dropout": 0.0}
    ).model.generator.decoder
    assert decoder == dict(type="UNetDecoder", widths=(8, 8), dropout=0.0)
    assert config().model.generator.decoder.type is UNetDecoder


def test_an_empty_slot_can_be_filled_and_a_full_one_emptied(config):
    generator = config({"model.generator.motion_generator.type": "LstmUnroll"}).model.generator
    assert generator.motion_generator == dict(type="LstmUnroll")
    assert config({"model.generator.content_encoder.type": "ConvPyramidEncoder"}).model.generator.content_encoder
    assert config({"default_hooks.checkpoint": None}).default_hooks.checkpoint is None
    with pytest.raises(ConfigError, match=r"model.generator.head is None, but takes a part"):
        config({"model.generator.head": None})


def test_values_of_named_entries_and_new_arguments(config):
    cfg = config(
        {
            "model.phases.generator.losses.frame_l1.weight": 1.0,
            "model.phases.generator.every": 2,
            "train_dataloader.dataset.pipeline.window.stride": 2,
            "train_dataloader.pin_memory": True,
            "optim_wrapper.optimizer.fused": True,
            "randomness.deterministic": True,
            "default_hooks.checkpoint.max_keep_ckpts": 5,
            "model.precision": "bf16",
            "work_dir": "out",
            "protocols.swap.type": "Transfer",
        }
    )
    assert cfg.model.phases.generator.losses.frame_l1.weight == 1.0
    assert cfg.model.phases.generator.every == 2
    assert cfg.train_dataloader.dataset.pipeline.window.stride == 2
    assert cfg.protocols.swap.type == "Transfer"


@pytest.mark.parametrize(
    "options, message",
    [
        ({"model.generator.decoder.type": "UNetDecodr"}, "no decoder is called 'UNetDecodr'; nearest: UNetDecoder"),
        ({"model.generator.decoder.type": "DirectHead"}, "'DirectHead' is registered as: head"),
        ({"model.generator.decoder.widht": 3}, "UNetDecoder takes no 'widht'; nearest: widths"),
        ({"model.generator.decodr.type": "UNetDecoder"}, "no key 'model.generator.decodr'.*nearest: decoder"),
        ({"model.generator.motion_generator.hidden": 3}, "no part at 'model.generator.motion_generator'"),
        ({"model.imagesize": 3}, "ImageToVideoGan takes no 'imagesize'; nearest: image_size"),
        ({"modle.image_size": 3}, "no key 'modle'.*nearest: model"),
        ({"model.phases.generatr.every": 3}, "no part at|no key.*nearest: generator"),
        ({"model.phases.generator.evry": 3}, "'model.phases.generator.evry'.*nearest: every"),
        ({"model.passes.reconstruct.motoin": "prior"}, "nearest: motion"),
        ({"train_dataloader.num_worker": 3}, "no key 'train_dataloader.num_worker'.*nearest: num_workers"),
        ({"train_dataloader.dataset.pipeline.window.lenght": 3}, "FirstFrames takes no 'lenght'; nearest: length"),
        ({"train_dataloader.dataset.reader.type": "ClipFoldr"}, "no reader is called 'ClipFoldr'.*ClipFolder"),
        ({"optim_wrapper.optimizer.learning_rate": 3}, "Adam takes no 'learning_rate'"),
        ({"optim_wrapper.accumulative_count": 3}, "optim_wrapper.accumulative_count'.*nearest: accumulative_counts"),
        ({"train_cfg.max_iter": 3}, "IterBasedTrainLoop takes no 'max_iter'; nearest: max_iters"),
        ({"default_hooks.chekpoint.interval": 3}, "no part at 'default_hooks.chekpoint'|nearest: checkpoint"),
        ({"default_hooks.checkpoint.intervall": 3}, "SafeCheckpointHook takes no 'intervall'; nearest: interval"),
        ({"find_unused_parameters": True}, "would not be read: it is an argument of DistributedDataParallel"),
        ({"randomness.sead": 3}, "no key 'randomness.sead'.*nearest: seed"),
        ({"model.image_size": 3, "model.image_size.x": 3}, "are both set"),
    ],
)
def test_mistaken_options_are_errors_with_the_nearest(config, options, message):
    with pytest.raises(ConfigError, match=message):
        config(options)


@pytest.mark.parametrize(
    "more, message",
    [
        ("find_unused_parameters = True", "would not be read: it is an argument of DistributedDataParallel"),
        ("compile = 'max-autotune'", "compile is True, False or a dict"),
        ("compile = dict(mod='default')", "compile: there is no 'mod'; nearest: mode"),
        (
            "auto_scale_lr = dict(base_batchsize=3)",
            "auto_scale_lr: there is no 'base_batchsize'; nearest: base_batch_size",
        ),
        (
            "model_wrapper_cfg = dict(type='Replicated')",
            "no model_wrapper is called 'Replicated'; nearest: ReplicatedModel",
        ),
        ("modell = dict()", "no key 'modell' at the top of a config; nearest: model"),
        (
            "model['phases']['generator']['losses']['frame_l1']['wight'] = 3",
            "FrameL1Loss takes no 'wight'; nearest: weight",
        ),
        ("model['generator']['decoder'] = dict(type=DirectHead)", "'DirectHead' is registered as: head"),
        (
            "custom_hooks = dict(strips=dict(type='SampleStripHook', intervall=3))",
            "SampleStripHook takes no 'intervall'",
        ),
        ("val_evaluator = dict(ssim=dict(type='Sim'))", "no metric is called 'Sim'; nearest: .*Ssim"),
        ("x = 1 / 0", "cannot be read: ZeroDivisionError"),
        ("from nowhere import nothing\nmodel['type'] = nothing", "nowhere"),
    ],
)
def test_mistakes_in_the_file_are_errors(config, more, message):
    with pytest.raises(ConfigError, match=message):
        config(more=more)


def keys_that_the_runner_reads():
    """What stands in ``cfg["..."]`` and ``cfg.get("...")`` of a whole config, in mmengine's source as installed."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(Runner)))
    methods = {method.name: method for method in tree.body[0].body if isinstance(method, ast.FunctionDef)}
    keys = set()
    for name, method in methods.items():
        whole = {"self.cfg", "cfg"} if name == "from_cfg" else {"self.cfg"}
        for node in ast.walk(method):
            if isinstance(node, ast.Call) and ast.unparse(node.func).removesuffix(".get") in whole and node.args:
                keys.add(ast.literal_eval(node.args[0]))
            elif isinstance(node, ast.Subscript) and ast.unparse(node.value) in whole:
                keys.add(ast.literal_eval(node.slice))
    return keys


def test_every_key_that_the_runner_reads_is_known():
    read = keys_that_the_runner_reads()
    assert {"model", "work_dir", "compile", "sync_bn", "find_unused_parameters"} <= read
    assert read == RUNNER_KEYS | set(REFUSED)


def test_keys_of_the_runner_in_files_and_on_the_command_line(config):
    more = """
sync_bn = "torch"
compile = dict(mode="max-autotune", options=dict(epilogue_fusion=True))
experiment_name = "first"
log_level = "WARNING"
auto_scale_lr = dict(enable=True, base_batch_size=16)
model_wrapper_cfg = dict(type="ReplicatedModel")
"""
    cfg = config(more=more)
    assert (cfg.sync_bn, cfg.compile.mode, cfg.model_wrapper_cfg.type) == ("torch", "max-autotune", "ReplicatedModel")
    cfg = config({"sync_bn": "torch", "compile.mode": "default", "auto_scale_lr.base_batch_size": 4})
    assert (cfg.sync_bn, cfg.compile, cfg.auto_scale_lr) == ("torch", {"mode": "default"}, {"base_batch_size": 4})
    assert config({"compile": True}).compile is True


def test_a_data_preprocessor_in_the_runners_place_is_the_models(config):
    cfg = config(more="data_preprocessor = dict(type='ClipPreprocessor')")
    assert cfg.model.data_preprocessor == dict(type="ClipPreprocessor") and "data_preprocessor" not in cfg
    cfg = config({"model.data_preprocessor.type": "ClipPreprocessor", "model.data_preprocessor.non_blocking": True})
    assert cfg.model.data_preprocessor == dict(type="ClipPreprocessor", non_blocking=True)


def test_one_frozen_part_may_be_a_text():
    """Its letters would be the names of parts."""
    assert load_config("dtgan_oulu", {"model.frozen": "generator.decoder"}).model.frozen == ["generator.decoder"]
    assert load_config("dtgan_oulu", {"model.frozen": ["generator.head"]}).model.frozen == ["generator.head"]
