"""Clips of any length, in one piece and in chunks; the dynamics feature."""

import narrow
import pytest
import torch

from i2vkit.errors import ConfigError
from i2vkit.models.generation_state import GenerationState
from i2vkit.structures import VideoBatch


def smooth_clip(length: int) -> VideoBatch:
    data = narrow.batch(lengths=(length,), seed=length)
    return VideoBatch(narrow.build().data_preprocessor(data)["clip"].driving)


@pytest.mark.parametrize("length", [1, 7, 16, 200])
def test_any_length_and_chunks_equal_the_whole(length):
    model = narrow.build()
    with torch.no_grad():
        for parameter in model.generator.decoder.parameters():
            parameter.mul_(3)
    clip = smooth_clip(length)
    whole = next(model.generate_chunks([clip], [3])).video
    assert whole.shape == (1, 3, length, narrow.SIZE, narrow.SIZE)
    for size in (5, 32):
        pieces = [clip.slice_frames(start, start + size) for start in range(0, length, size)]
        chunked = torch.cat([made.video for made in model.generate_chunks(pieces, [3])], dim=2)
        assert (chunked - whole).abs().max() < 1e-5


def test_memory_of_a_stream_is_one_chunk():
    model = narrow.build()
    clip = smooth_clip(8)

    def forever():
        while True:
            yield clip

    made = model.generate_chunks(forever(), [0])
    first, *_ = (next(made) for _ in range(40))
    assert first.video.shape[2] == 8


def test_dynamics_of_a_static_clip_are_exactly_zero_and_of_the_first_frame_always():
    for seed in range(3):
        encoder = narrow.build(seed).generator.motion_encoder.eval()
        clip = smooth_clip(12)
        static = VideoBatch(clip.driving[:, :, :1].expand(-1, -1, 12, -1, -1).repeat(2, 1, 1, 1, 1))
        assert encoder(static, GenerationState()).trajectory.abs().max() == 0
        dynamic = encoder(clip, GenerationState()).trajectory
        assert dynamic[:, 0].abs().max() == 0
        assert dynamic[:, 1:].abs().amax(dim=2).min() > 0


def test_plain_feature_is_the_lstm_output_and_suppression_is_the_difference_to_the_static_clip():
    encoder = narrow.build().generator.motion_encoder.eval()
    clip = smooth_clip(6)
    suppressed = encoder(clip, GenerationState()).trajectory
    encoder.suppress_appearance = False
    plain = encoder(clip, GenerationState()).trajectory
    static = encoder(VideoBatch(clip.driving[:, :, :1].expand(-1, -1, 6, -1, -1)), GenerationState()).trajectory
    assert torch.allclose(suppressed, plain - static, atol=1e-7)
    assert torch.allclose(plain, encoder.lstm(encoder.features(clip.driving))[0])


def test_frame_cnn_runs_once_a_frame_not_once_more_for_the_static_clip():
    encoder = narrow.build().generator.motion_encoder.eval()
    seen = []
    encoder.frame_encoder.register_forward_hook(lambda module, inputs, output: seen.append(len(inputs[0])))
    encoder(smooth_clip(9), GenerationState())
    assert seen == [9]


def test_dropout_is_one_mask_a_clip_on_at_test_and_can_be_switched_off():
    static = VideoBatch(smooth_clip(1).driving.expand(-1, -1, 4, -1, -1))
    noisy = narrow.build()
    video = next(noisy.generate_chunks([static], [1])).video
    assert torch.allclose(video[:, :, :1].expand_as(video), video, atol=1e-7)  # the same mask for every frame
    assert not torch.equal(video, next(noisy.generate_chunks([static], [2])).video)
    decoder = narrow.NARROW["UNetDecoder"] | dict(dropout_at_test=False)
    plain = narrow.build(generator=dict(decoder=decoder))
    assert torch.equal(
        next(plain.generate_chunks([static], [1])).video, next(plain.generate_chunks([static], [2])).video
    )


def test_a_generator_that_needs_the_whole_clip_says_so_at_the_second_chunk():
    model = narrow.build(
        generator=dict(motion_encoder=narrow.NARROW["Conv3dEncoder"], motion_generator=narrow.NARROW["LstmUnroll"])
    )
    assert not model.generator.supports_chunks
    clip = smooth_clip(8)
    made = model.generate_chunks([clip.slice_frames(0, 4), clip.slice_frames(4, 8)], [0])
    next(made)
    with pytest.raises(ConfigError, match="in one piece only"):
        next(made)


def test_samples_of_a_prior_vary_with_the_seed_only_and_a_model_without_one_refuses():
    variational = narrow.build(
        generator=dict(motion_encoder=narrow.NARROW["Conv3dEncoder"], motion_generator=narrow.NARROW["LstmUnroll"])
    )
    with torch.no_grad():
        for parameter in variational.generator.decoder.parameters():
            parameter.mul_(3)
    clip = smooth_clip(5)

    def sample(seed):
        return next(variational.generate_chunks([clip], [seed], motion="prior")).video

    assert torch.equal(sample(1), sample(1))
    assert not torch.equal(sample(1), sample(2))
    with pytest.raises(ConfigError, match="deterministic"):
        next(narrow.build().generate_chunks([clip], [0], motion="prior"))


def test_padding_changes_nothing_of_a_clip():
    model = narrow.build()
    padded = model.data_preprocessor(narrow.batch(lengths=(6, 4)))["clip"]
    alone = VideoBatch(padded.driving[1:, :, :4], num_frames=padded.num_frames[1:])
    together = next(model.generate_chunks([padded], [5, 6])).video[1:, :, :4]
    assert torch.allclose(together, next(model.generate_chunks([alone], [6])).video, atol=1e-5)
    assert torch.equal(padded.driving[1, :, 4], padded.driving[1, :, 3])


def test_test_step_gives_bytes_of_the_true_length():
    samples = narrow.build().test_step(narrow.batch(lengths=(6, 4), seed=2))
    assert [tuple(sample.generated.shape) for sample in samples] == [(3, 6, 32, 32), (3, 4, 32, 32)]
    assert all(sample.generated.dtype == torch.uint8 for sample in samples)
    assert torch.equal(samples[0].image, narrow.batch(lengths=(6, 4), seed=2)["inputs"]["driving"][0][:, 0])
