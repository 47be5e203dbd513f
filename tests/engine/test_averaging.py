"""Gradients averaged over two processes while the backward pass runs, against averaging after it."""

import copy
import gc
import pickle

import narrow
import numpy as np
import pytest
import torch
from mmengine.dist import all_reduce_params, get_rank
from mmengine.optim import OptimWrapper, OptimWrapperDict
from processes import start_processes
from torch import nn
from torch.utils.checkpoint import checkpoint

from i2vkit.engine.averaging import GradientAverager, fill_buckets
from i2vkit.engine.optimizers import PhaseOptimWrapper, PhaseOptimWrapperConstructor
from i2vkit.errors import TrainingError
from i2vkit.models.losses import DiscriminatorLoss

pytestmark = pytest.mark.skipif(torch.cuda.is_available(), reason="two processes would need two GPUs; with gloo, none")


class AveragesAfter(OptimWrapper):
    """Averages after the backward pass, by mmengine's function: the reference."""

    def step(self, **kwargs):
        gradients = [p.grad for group in self.optimizer.param_groups for p in group["params"] if p.grad is not None]
        all_reduce_params(gradients, coalesce=True, bucket_size_mb=64, op="mean")
        super().step(**kwargs)


class Branches(nn.Module):
    """A layer that is used twice, a convolution in channels last, and a layer that only some batches pass through."""

    def __init__(self):
        super().__init__()
        self.convolution = nn.Conv2d(4, 4, 3).to(memory_format=torch.channels_last)
        self.twice = nn.Linear(4, 4)
        self.sometimes = nn.Linear(4, 4)
        self.last = nn.Linear(4, 1)

    def forward(self, x, sometimes=False):
        x = self.convolution(x[:, :, None, None].expand(-1, -1, 3, 3))[..., 0, 0]
        x = self.twice(self.twice(x).tanh())
        return self.last(self.sometimes(x) if sometimes else x).square().mean()


def numbers(seed):
    """(5, 4), others in each process."""
    return torch.randn(5, 4, generator=torch.Generator().manual_seed(2 * seed + get_rank()))


def make(seed=0):
    torch.manual_seed(seed)
    return Branches()


def wrapper(kind, model, **settings):
    result = kind(torch.optim.Adam(model.parameters(), lr=0.01), **settings)
    if kind is PhaseOptimWrapper:  # buckets of one or two layers
        result._averager = GradientAverager(model.parameters(), first=1e-5, size=1e-4)
    return result


def weights(model):
    return {name: value.detach().numpy().copy() for name, value in model.state_dict().items()}


def gradients(model):
    return {name: None if p.grad is None else p.grad.numpy().copy() for name, p in model.named_parameters()}


def assert_same_bits(one, other):
    assert one.keys() == other.keys()
    for name in one:
        np.testing.assert_array_equal(one[name], other[name], err_msg=name)


def train_branches(kind):
    """Steps of all kinds: of one batch, of two batches, with and without a layer, with a penalty on gradients."""
    model, states = make(), []
    single, double = wrapper(kind, model), wrapper(kind, model, accumulative_counts=2)
    for step in range(3):
        single.update_params(model(numbers(step), sometimes=step == 1))
        states.append(weights(model))
    for step in range(4):  # the layer has a gradient from the first batch of two only
        double.update_params(model(numbers(step), sometimes=step == 0))
        states.append(weights(model))
    inputs = numbers(7).requires_grad_()
    (slope,) = torch.autograd.grad(model(inputs, sometimes=True), inputs, create_graph=True)
    single.update_params(slope.square().sum())
    states.append(weights(model))
    single.backward(model(numbers(8)))  # two passes and a step, called one by one
    single.backward(model(numbers(9)))
    single.step()
    states.append(weights(model))
    single.update_params(model(numbers(10)))  # the messages of that step do not hinder this one
    states.append(weights(model))
    return states


def compare_kinds():
    return train_branches(PhaseOptimWrapper), train_branches(AveragesAfter)


def test_overlapping_gives_the_bits_of_averaging_afterwards():
    (ours, reference), (theirs, _) = start_processes(compare_kinds)
    for one, other, third in zip(ours, reference, theirs, strict=True):
        assert_same_bits(one, other)
        assert_same_bits(one, third)
    assert any(not np.array_equal(ours[0][name], ours[-1][name]) for name in ours[0])


def penalized_gan():
    """A GAN in two phases: the discriminator's has a penalty on gradients and runs twice."""
    gan = narrow.gan_config()
    discriminators = dict(frame=narrow.discriminator(adversarial="WassersteinLoss"))
    generator = gan["phases"]["generator"]
    phases = dict(
        discriminators=dict(
            updates=["discriminators.frame"],
            losses=dict(frame_discriminator=dict(type=DiscriminatorLoss, discriminator="frame")),
            repeat=2,
        ),
        generator=generator | dict(losses=generator["losses"] | dict(dynamics_adversarial=None)),
    )
    return dict(discriminators=discriminators, phases=phases)


def train_gan(overlaps):
    model = narrow.build(**penalized_gan())
    settings = dict(optimizer=dict(type="Adam", lr=1e-3))
    wrappers = PhaseOptimWrapperConstructor(settings)(model)
    if not overlaps:
        wrappers = OptimWrapperDict(**{name: AveragesAfter(own.optimizer) for name, own in wrappers.items()})
    sent = []
    for own in wrappers.values() if overlaps else ():
        own._averager = GradientAverager(own.optimizer.param_groups[0]["params"], first=1e-4, size=1e-3)
        for bucket in own.averager.buckets:
            bucket.receive = counting(bucket, bucket.receive, sent)
    for step in range(2):
        torch.manual_seed(step)
        model.train_step(narrow.batch(seed=2 * step + get_rank()), wrappers)
    return weights(model), sent


def counting(bucket, receive, sent):
    def call(processes):
        sent.append(len(bucket.arrived) == len(bucket.parameters))
        receive(processes)

    return call


def compare_gans():
    return train_gan(True), train_gan(False)


def test_phases_with_a_penalty_and_repeats_average_as_before():
    results = start_processes(compare_gans)
    for (ours, sent), (reference, _) in results:
        names = [name for name in ours if "running" not in name and "num_batches" not in name]
        for name in names:
            np.testing.assert_array_equal(ours[name], reference[name], err_msg=name)
        assert len(sent) > 10 and all(sent)  # every gradient went by a hook
        np.testing.assert_array_equal(ours[names[0]], results[0][0][0][names[0]])


def events_of_a_backward_pass():
    model = nn.Sequential(*(nn.Linear(8, 8) for _ in range(4)))
    averager = GradientAverager(model.parameters(), first=1e-5, size=1e-5)  # a bucket a parameter
    events = []
    for number, bucket in enumerate(averager.buckets):
        bucket.send = noting(bucket.send, events, f"sent {number}")
    for name, parameter in model.named_parameters():
        parameter.register_post_accumulate_grad_hook(lambda _, name=name: events.append(name))
    with averager.overlapping():
        model(torch.ones(2, 8)).sum().backward()
        before = list(events)
        averager.finish()
    return before, events[len(before) :]


def noting(function, events, name):
    def call():
        events.append(name)
        function()

    return call


def test_messages_leave_while_the_backward_pass_runs():
    for during, after in start_processes(events_of_a_backward_pass):
        sent = [event for event in during if event.startswith("sent")]
        assert sent == [f"sent {number}" for number in range(8)] and after == []
        assert during.index("sent 0") < during.index("2.weight") < during.index("sent 5") < during.index("0.weight")


def gradients_that_one_process_lacks():
    model = make()
    averager = GradientAverager(model.parameters(), first=1e-5, size=1e-4)
    with averager.overlapping():
        model(numbers(0), sometimes=get_rank() == 1).backward()
        own = gradients(model)
        averager.finish()
    return own, gradients(model)


def test_a_gradient_that_one_process_lacks_counts_as_zero_there():
    (first, averaged), (second, other) = start_processes(gradients_that_one_process_lacks)
    assert first["sometimes.weight"] is None
    assert_same_bits(averaged, other)
    np.testing.assert_array_equal(averaged["sometimes.weight"], second["sometimes.weight"] / 2)
    np.testing.assert_array_equal(averaged["last.bias"], (first["last.bias"] + second["last.bias"]) / 2)


def gradients_that_all_lack():
    model = make()
    averager = GradientAverager(model.parameters())
    with averager.overlapping():
        model(numbers(0)).backward()
        averager.finish()
    return gradients(model)["sometimes.weight"]


def test_a_gradient_that_all_lack_stays_none():
    assert start_processes(gradients_that_all_lack) == [None, None]


def backward_pass_in_pieces():
    layers = nn.ModuleList(nn.Linear(4, 4) for _ in range(2))
    averager = GradientAverager(layers.parameters(), first=1e-5, size=1e-5)
    x = torch.ones(1, 4, requires_grad=True)
    for _ in range(2):  # each piece runs a backward pass of its own through the same layers
        x = checkpoint(lambda x: layers[1](layers[0](x)), x, use_reentrant=True)
    try:
        with averager.overlapping():
            x.sum().backward()
    except TrainingError as error:
        message = str(error)
    idle = not any(bucket.is_sent or bucket.arrived for bucket in averager.buckets)
    return message, idle


def test_a_gradient_that_changes_after_it_was_sent_is_an_error():
    for message, idle in start_processes(backward_pass_in_pieces):
        assert "use_reentrant=False" in message
        assert idle


def test_copies_and_pickles_take_no_hooks_along_and_they_end_with_the_averager():
    model = nn.Linear(2, 2)
    averager = GradientAverager(model.parameters())
    assert len(model.weight._post_accumulate_grad_hooks) == 1
    for copied in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert not copied.weight._post_accumulate_grad_hooks
    del averager
    gc.collect()
    assert not model.weight._post_accumulate_grad_hooks


def test_buckets_go_from_the_last_parameter_to_the_first_and_have_one_type():
    sizes = [100, 20, 30, 1, 2]  # numbers of 4 bytes
    parameters = [nn.Parameter(torch.zeros(size)) for size in sizes]
    parameters.insert(3, nn.Parameter(torch.zeros(5, dtype=torch.bfloat16)))
    buckets = fill_buckets(parameters, first=12 / 2**20, size=200 / 2**20)
    assert [[len(p) for p in bucket.parameters] for bucket in buckets] == [[2, 1], [5], [30, 20], [100]]
    assert [bucket.parameters[0].dtype for bucket in buckets] == [torch.float32, torch.bfloat16] + 2 * [torch.float32]
