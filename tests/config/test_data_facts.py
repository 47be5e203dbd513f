"""Labels, image size, condition maps and frames a second flow from the data set to the model."""

import narrow
import pytest
import torch
from mmengine.config import Config

from i2vkit.apis.inferencer import I2VInferencer
from i2vkit.apis.train import train
from i2vkit.config.data_facts import check_facts, facts_of, fill_in_stored_facts
from i2vkit.config.loading import load_config
from i2vkit.datasets.facts import DataFacts, facts_of_model
from i2vkit.datasets.pipelines import steps_of, usual_pipeline
from i2vkit.datasets.readers import bair, mug, natops, oulu_casia, penn_action, uva_nemo, weizmann
from i2vkit.engine.checkpoints import stored_facts
from i2vkit.errors import ConfigError
from i2vkit.models.generator_weights import export_generator
from i2vkit.registry import READERS

WINDOW = dict(type="FirstFrames", length=8, stride=2)


def data(**changes) -> dict:
    return dict(reader=dict(type="Mug", root="nowhere"), window=WINDOW, size=48) | changes


@pytest.mark.parametrize(
    "reader, module, fps",
    [
        ("Mug", mug, 19.0),
        ("OuluCasia", oulu_casia, 25.0),
        ("Weizmann", weizmann, 25.0),
        ("Natops", natops, 20.0),
        ("UvaNemo", uva_nemo, 50.0),
        ("PennAction", penn_action, 25.0),
    ],
)
def test_readers_of_the_sets_state_their_labels_without_data(reader, module, fps):
    built = READERS.build(dict(type=reader, root="nowhere"))
    assert built.facts() == DataFacts(labels=tuple(module.LABELS), fps=fps)


def test_a_set_without_labels_says_so_and_a_kind_is_one_label():
    assert READERS.build(dict(type="Bair", root="nowhere")).facts() == DataFacts(labels=(), fps=bair.FPS)
    deliberate = READERS.build(dict(type="UvaNemo", root="nowhere", kind="deliberate"))
    assert deliberate.facts().labels == ("deliberate",)


def test_a_clip_folder_states_what_it_is_told_or_its_index_or_its_folders_say(tmp_path):
    def facts(root, **given):
        return READERS.build(dict(type="ClipFolder", root=str(root), **given)).facts()

    assert facts("nowhere") == DataFacts()
    assert facts("nowhere", labels=["b", "a"], fps=12.0) == DataFacts(labels=("b", "a"), fps=12.0)
    table = "path,person,label,num_frames,fps\np/run/1,p,run,4,30\np/wave/1,,,4,30\np/x,p,,4,30\n"
    (tmp_path / "index.csv").write_text(table)
    assert facts(tmp_path) == DataFacts(labels=("run", "wave"), fps=30.0)
    (tmp_path / "index.csv").write_text(table.replace("4,30\np/x", "4,25\np/x"))
    assert facts(tmp_path).fps is None
    for clip in ("ann/smile/1.mp4", "ann/frown/2/1.png", "bob/notes/readme.txt", "bob/.hidden.mp4"):
        (tmp_path / "folders" / clip).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "folders" / clip).write_bytes(b"")
    assert facts(tmp_path / "folders").labels == ("frown", "smile")


def test_strips_and_joined_sets(tmp_path):
    strips = dict(type="FrameStrips", root=str(tmp_path))
    assert READERS.build(strips).facts() == DataFacts(fps=25.0)
    (tmp_path / "index.csv").write_text("file,action\na.jpg,wave\nb.jpg,run\n")
    assert READERS.build(strips).facts().labels == ("run", "wave")
    given = dict(strips, labels=["wave", "run"])
    assert READERS.build(given).facts().labels == ("wave", "run")
    assert READERS.build(dict(type="ConcatReader", readers=[given, given])).facts().labels == ("wave", "run")
    assert READERS.build(dict(type="ConcatReader", readers=[given, strips])).facts() == DataFacts()


def test_facts_of_a_data_set_are_its_readers_and_its_pipelines():
    assert facts_of(data()) == DataFacts(labels=mug.LABELS, image_size=48, fps=9.5)
    assert facts_of(data(labels=["fear", "anger"])).labels == ("anger", "fear")  # in the reader's order
    assert facts_of(data(maps=3)).map_channels == 3
    written_out = dict(window=WINDOW, maps=dict(type="ReadMaps", channels=13), crop=dict(type="CenterCrop", size=40))
    assert facts_of(dict(reader=dict(type="Bair", root="nowhere"), pipeline=written_out)) == DataFacts(
        labels=(), image_size=40, map_channels=13, fps=5.0
    )
    assert facts_of(data(size=(32, 48))).image_size is None
    assert facts_of(data(size=None, crop=dict(type="RandomCrop"))).image_size is None


def test_the_usual_pipeline_in_its_order():
    steps = usual_pipeline(
        window=WINDOW,
        size=32,
        augmentation=dict(flip=dict(type="RandomFlip"), colors=None),
        crop=dict(type="CenterCrop"),
        points=["joints"],
        maps=13,
        extra_steps=dict(states=dict(type="LabelStates")),
    )
    kinds = {
        name: step["type"] if isinstance(step["type"], str) else step["type"].__name__ for name, step in steps.items()
    }
    assert kinds == {
        "window": "FirstFrames",
        "read": "ReadFrames",
        "points": "ReadPoints",
        "crop": "CenterCrop",
        "resize": "Resize",
        "flip": "RandomFlip",
        "maps": "ReadMaps",
        "states": "LabelStates",
        "pack": "PackClip",
    }
    assert (steps["resize"]["size"], steps["points"]["required"], steps["maps"]["channels"]) == (32, ["joints"], 13)
    assert list(usual_pipeline(window=WINDOW)) == ["window", "read", "pack"]


@pytest.mark.parametrize(
    "dataset, message",
    [
        (dict(), "needs a window"),
        (dict(pipeline=dict(window=WINDOW), size=32), "beside which size would not be read: leave pipeline out"),
        (
            dict(window=WINDOW, extra_steps=dict(read=dict(type="LabelStates"))),
            "two steps of the pipeline are called 'read'",
        ),
        (
            dict(window=WINDOW, augmentation=[dict(type="RandomFlip")]),
            r"augmentation=dict\(flip=dict\(type=RandomFlip\)\)",
        ),
    ],
)
def test_a_pipeline_that_cannot_be_is_one_error(dataset, message):
    with pytest.raises(ConfigError, match=message):
        steps_of(dataset)


def test_a_model_takes_what_it_leaves_out_and_keeps_what_it_says():
    cfg = load_config("frgan_forecast_penn")
    assert (cfg.model.image_size, cfg.model.map_channels, cfg.model.labels) == (64, 13, [])
    cfg = load_config("imaginator_mug")
    assert (cfg.model.labels, cfg.model.image_size, cfg.model.fps) == (list(mug.LABELS), 64, 9.5)
    assert "map_channels" not in cfg.model  # nothing in it reads maps
    cfg = load_config("imaginator_mug", {f"{split}_dataloader.dataset.size": 32 for split in ("train", "val", "test")})
    assert cfg.model.image_size == 32
    assert load_config("imaginator_mug", {"model.fps": 25.0}).model.fps == 25.0


@pytest.mark.parametrize(
    "options, message",
    [
        ({"model.image_size": 32}, r"model.image_size is 32, and .*\(train_dataloader.dataset\) have 64.*dataset.size"),
        (
            {"model.labels": ["anger", "fear"]},
            r"model.labels is \['anger', 'fear'\], and the training data.*reader.labels",
        ),
    ],
)
def test_a_contradiction_is_one_error_that_names_both(options, message, tmp_path):
    cfg = load_config("imaginator_mug", options)
    with pytest.raises(ConfigError, match=message):
        train(cfg, tmp_path)
    assert not list(tmp_path.iterdir())


def test_maps_of_another_number_are_a_contradiction_and_more_labels_are_none():
    with pytest.raises(ConfigError, match=r"model.map_channels is 3, and .* have 13: leave model.map_channels out"):
        check_facts(load_config("frgan_forecast_penn", {"model.map_channels": 3}))
    check_facts(load_config("imaginator_mug", {"model.labels": [*mug.LABELS, "contempt"]}))
    check_facts(Config(dict(model=dict(image_size=8))))  # without data there is nothing to contradict


def test_a_model_without_its_data_takes_the_facts_of_its_weights(tmp_path):
    own = dict(image_size=narrow.SIZE, labels=["run", "wave"], fps=12.5)
    model = narrow.build(**own)
    cfg = narrow.gan_config(**own)
    export_generator(model, Config(dict(model=cfg)), tmp_path / "a.safetensors")
    torch.save({"state_dict": model.state_dict(), "meta": {"data_facts": facts_of_model(model)}}, tmp_path / "a.pth")
    torch.save({"state_dict": model.state_dict()}, tmp_path / "old.pth")
    for name in ("labels", "image_size", "fps"):
        del cfg[name]
    for file in ("a.safetensors", "a.pth"):
        left = Config(dict(model=dict(cfg)))
        fill_in_stored_facts(left, tmp_path / file)
        assert (left.model.labels, left.model.image_size, left.model.fps) == (["run", "wave"], narrow.SIZE, 12.5)
        inferencer = I2VInferencer(Config(dict(model=dict(cfg))), tmp_path / file, "cpu")
        assert inferencer.model.labels == ["run", "wave"] and inferencer.model.fps == 12.5
    kept = Config(dict(model=dict(cfg, labels=["a", "b"], image_size=narrow.SIZE, fps=3.0)))
    fill_in_stored_facts(kept, tmp_path / "a.pth")
    assert (kept.model.labels, kept.model.fps) == (["a", "b"], 3.0)
    assert stored_facts(tmp_path / "old.pth") == {}
