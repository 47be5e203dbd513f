"""torch.compile: no generator breaks its graph on a GPU, and compiled parts compute what they compute without."""

import narrow
import pytest
import torch
from torch import nn
from torch._inductor import config as inductor
from torch._subclasses.fake_tensor import FakeTensorMode

from i2vkit.models.generation_state import GenerationState
from i2vkit.models.layers.recurrent import REASON
from i2vkit.models.training.passes import Pass
from i2vkit.structures import VideoBatch

# Of what one graph hands to the next, dynamo asks for gradients, and hides the warning only where it is no error.
pytestmark = pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor that is not a leaf")
PARTS = narrow.NARROW
CODE = dict(content_encoder=PARTS["ConvPyramidEncoder"], motion_encoder=None, motion_generator=None)
MAPS = dict(
    content_encoder=PARTS["ResidualPyramidEncoder"],
    motion_encoder=PARTS["MapDifferenceEncoder"],
    decoder=PARTS["DenseDecoder"],
    head=PARTS["ResidualHead"],
)
# The generators of the four papers and of the two baselines, and how often each calls a recurrent layer.
GENERATORS = {
    "ImaGINator": (
        CODE | dict(motion_generator=PARTS["LabelFusion"], decoder=PARTS["TransposedConv1p2dDecoder"]),
        0,
    ),
    "DTGAN": (dict(motion_encoder=PARTS["CnnLstmEncoder"], decoder=PARTS["UNetDecoder"]), 2),
    "Dual-MTGAN": (
        CODE
        | dict(
            motion_encoder=PARTS["Conv3dEncoder"],
            motion_generator=PARTS["LstmUnroll"],
            decoder=PARTS["FrameDecoder"],
        ),
        1,
    ),
    "FRGAN": (MAPS, 0),
    "FRGAN, stage two": (MAPS | dict(refiner=PARTS["VolumeRefiner"]), 0),
    "MoCoGAN": (CODE | dict(motion_generator=PARTS["NoiseGru"], decoder=PARTS["FrameDecoder"]), 1),
    "VGAN": (CODE | dict(decoder=PARTS["TwoStreamDecoder"], head=PARTS["ResidualHead"]), 0),
}
NETWORKS = {
    "FrameDiscriminator": (3, narrow.SIZE, narrow.SIZE),
    "VideoDiscriminator": (3, 4, narrow.SIZE, narrow.SIZE),
    "VectorDiscriminator": (3,),
    "ResidualFrameDiscriminator": (3, narrow.SIZE, narrow.SIZE),
    "ResidualVideoDiscriminator": (3, 4, narrow.SIZE, narrow.SIZE),
}


def generator_of(name: str) -> nn.Module:
    phases = dict(generator=dict(updates=["generator"], losses=dict(frame_l1=dict(type="FrameL1Loss"))))
    return narrow.build(generator=GENERATORS[name][0], discriminators={}, frozen=[], phases=phases).generator


def fake(tensor: torch.Tensor) -> torch.Tensor:
    """A tensor of the same shape that lies on a GPU, as far as PyTorch can tell; called inside a ``FakeTensorMode``."""
    return torch.empty(tensor.shape, dtype=tensor.dtype, device="cuda:0")


def to_fake_gpu_(module: nn.Module) -> nn.Module:
    for each in module.modules():
        for name, parameter in each.named_parameters(recurse=False):
            each._parameters[name] = nn.Parameter(fake(parameter), requires_grad=parameter.requires_grad)
        for name, buffer in each.named_buffers(recurse=False):
            each._buffers[name] = fake(buffer)
    return module


def explained(function, *inputs):
    torch._dynamo.reset()
    return torch._dynamo.explain(function)(*inputs)


def run_without_kernels(layer: nn.RNNBase, steps: torch.Tensor, state=None) -> tuple:
    """In place of a recurrent layer on a fake GPU, whose kernels would ask for the driver: it is not traced anyway."""
    made = steps.new_empty(*steps.shape[:2], layer.hidden_size)
    last = made.new_empty(1, len(steps), layer.hidden_size)
    return made, (last, last) if isinstance(layer, nn.LSTM) else last


# Stage two of FRGAN holds all of stage one, and most of a generator is the same in eval mode.
MODES = [
    pytest.param(name, training, marks=[] if training and name != "FRGAN" else pytest.mark.slow)
    for name in GENERATORS
    for training in (True, False)
]


@pytest.mark.parametrize("name, training", MODES)
def test_no_generator_breaks_its_graph_on_a_gpu_but_at_recurrent_layers(name, training, monkeypatch):
    """With tensors that PyTorch takes for those of a GPU."""
    for kind in (nn.LSTM, nn.GRU):
        monkeypatch.setattr(kind, "forward", run_without_kernels)
    generator, (_, recurrent) = generator_of(name).train(training), GENERATORS[name]
    with FakeTensorMode(), torch.set_grad_enabled(training):
        to_fake_gpu_(generator)
        video, maps = fake(torch.empty(2, 3, 6, 32, 32)), fake(torch.empty(2, narrow.MAPS, 6, 32, 32))
        label = fake(torch.zeros(2, dtype=torch.long))
        clip = VideoBatch(video, label=label, driving_maps=maps, image_maps=maps[:, :, 0], num_frames=label)
        found = explained(lambda clip: generator(clip, {"made": Pass()})["made"].video, clip)
    assert all(REASON in entry.reason for entry in found.break_reasons)
    places = {(entry.user_stack[-1].filename, entry.user_stack[-1].lineno) for entry in found.break_reasons}
    assert len(places) == recurrent
    assert found.graph_count == 1 or recurrent
    values = [node.meta.get("example_value") for graph in found.graphs for node in graph.graph.nodes]
    assert {value.device for value in values if isinstance(value, torch.Tensor)} == {torch.device("cuda:0")}


def decode(generator: nn.Module) -> torch.Tensor:
    """The features of a batch that the generator's decoder makes; the noise is the same at every call."""
    torch.manual_seed(1)
    video, maps = torch.rand(2, 3, 6, 32, 32) * 2 - 1, torch.rand(2, narrow.MAPS, 6, 32, 32)
    clip = VideoBatch(video, label=torch.tensor([0, 2]), driving_maps=maps, image_maps=maps[:, :, 0])
    return generator(clip, {"made": Pass()}, GenerationState())["made"].video


def discriminator(name: str, **changes) -> nn.Module:
    torch.manual_seed(0)
    own = {key: value for key, value in PARTS[name].items() if key != "type"} | changes
    image = {} if name == "VectorDiscriminator" else dict(image_size=narrow.SIZE)
    return PARTS[name]["type"](in_channels=3, label_size=3, **image, **own)


def judge(network: nn.Module) -> torch.Tensor:
    torch.manual_seed(1)
    return network(torch.rand(2, *NETWORKS[type(network).__name__]), torch.tensor([[0.0, 1.0, 0.0], [1.0, 0.0, 0.0]]))


def with_gradients(run, module: nn.Module) -> tuple[torch.Tensor, list[torch.Tensor]]:
    """What ``module`` makes, and the gradients of its parameters, all to one cost."""
    module.zero_grad()
    made = run(module)
    (made * torch.linspace(-1, 1, made.numel()).view(made.shape)).sum().backward()
    return made, [parameter.grad for parameter in module.parameters() if parameter.grad is not None]


def check_compiled(module: nn.Module, parts: list[nn.Module], run, backend: str) -> None:
    made, gradients = with_gradients(run, module)
    torch._dynamo.reset()
    for part in parts:
        part.compile(backend=backend)
    with inductor.patch(fallback_random=True):  # random numbers as PyTorch draws them
        found, others = with_gradients(run, module)
    assert torch.allclose(found, made, atol=1e-5)
    # A bias before a batch norm has no gradient but what rounding leaves.
    largest = max(gradient.abs().max().item() for gradient in gradients)
    for one, other in zip(others, gradients, strict=True):
        assert torch.allclose(one, other, rtol=1e-3, atol=1e-5 * largest)


# Inductor compiles its kernels, which takes a minute; the other backend runs the very graphs with PyTorch's kernels.
backends = pytest.mark.parametrize(
    "backend", ["aot_eager_decomp_partition", pytest.param("inductor", marks=pytest.mark.slow)]
)


@backends
@pytest.mark.parametrize(
    "name",
    [
        "ImaGINator",
        "DTGAN",
        *(pytest.param(name, marks=pytest.mark.slow) for name in ("Dual-MTGAN", "FRGAN, stage two")),
    ],
)
def test_compiled_encoders_and_decoders_compute_the_same(name, backend):
    generator = generator_of(name).train()
    names = ("content_encoder", "motion_encoder", "motion_generator", "decoder", "refiner")
    parts = [part for part in (getattr(generator, each) for each in names) if part is not None]
    check_compiled(generator, parts, decode, backend)


@backends
@pytest.mark.parametrize("name", NETWORKS)
def test_compiled_discriminators_compute_the_same(name, backend):
    check_compiled(network := discriminator(name), [network], judge, backend)


@pytest.mark.parametrize(
    "name, own", [*((name, {}) for name in NETWORKS), *((name, dict(norm="spectral")) for name in list(NETWORKS)[:3])]
)
def test_no_discriminator_breaks_its_graph_on_a_gpu(name, own):
    network = discriminator(name, **own)
    with FakeTensorMode():
        to_fake_gpu_(network)
        found = explained(network, fake(torch.empty(2, *NETWORKS[name])), fake(torch.empty(2, 3)))
    assert (found.graph_count, found.graph_break_count) == (1, 0)
