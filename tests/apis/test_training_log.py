"""What a work dir's log says of the config that trains."""

from copy import deepcopy

from mmengine.config import Config
from tiny import tiny_config

from i2vkit.apis.train import prepare, train
from i2vkit.config.loading import load_config
from i2vkit.config.overriding import changes_of, override

SWAP = {"model.generator.decoder.type": "TwoStreamDecoder"}
LINES = [
    "model.generator.decoder: DenseDecoder -> TwoStreamDecoder; arguments dropped: {dropped}",
    "model.generator.decoder trains from its initial weights, and is not frozen any more",
]


def test_changes_stay_with_a_config_and_its_copies():
    cfg = load_config("frgan_refine_mug", SWAP)
    old = load_config("frgan_refine_mug").model.generator.decoder
    lines = [line.format(dropped=", ".join(key for key in old if key != "type")) for line in LINES]
    assert changes_of(cfg) == lines
    assert changes_of(deepcopy(cfg)) == changes_of(prepare(cfg, precision="bf16")) == lines
    override(cfg, {"model.generator.motion_generator.type": "LstmUnroll"})
    assert changes_of(cfg) == [*lines, "model.generator.motion_generator: None -> LstmUnroll"]
    assert changes_of(load_config("frgan_refine_mug", {"train_cfg.max_iters": 3})) == changes_of(Config()) == []


def test_the_log_of_a_training_begins_with_what_was_swapped(tmp_path):
    cfg = tiny_config(tmp_path, 1)
    override(cfg, {"optim_wrapper.optimizer.type": "SGD"})
    assert changes_of(cfg) == ["optim_wrapper.optimizer: Adam -> SGD; arguments dropped: lr"]
    override(cfg, {"optim_wrapper.optimizer.lr": 0.01})
    cfg.optim_wrapper.per_phase = dict(discriminators=dict(lr=0.02))
    train(cfg)
    [log] = tmp_path.glob("*/*.log")
    text = log.read_text()
    assert 0 < text.index(changes_of(cfg)[0]) < text.index("Saving checkpoint")
