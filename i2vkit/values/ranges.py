"""Ranges of numbers by the name of the argument that takes them.

One name means one thing throughout i2vkit, mmengine and torch, so one table covers options of commands, keys of configs
and arguments of parts. A test compares the table with the arguments of all registered parts and all commands.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any


@dataclass(frozen=True)
class Range:
    """The numbers that an argument takes.

    Args:
        least: The smallest one, None for no limit.
        most: The largest one, None for no limit.
        whole: Whole numbers only. Default False.
        above: ``least`` itself is not in the range. Default False.
        below: ``most`` itself is not in the range. Default False.
        also: Further numbers, such as the -1 with which mmengine means "never".
        filled: A list of these numbers must not be empty. Default False.

    Examples:
        >>> Range(0, 1, above=True).text
        'a number above 0 and at most 1'
        >>> Range(1, 8, whole=True).holds(9)
        False
    """

    least: float | None = None
    most: float | None = None
    whole: bool = False
    above: bool = False
    below: bool = False
    also: tuple[float, ...] = ()
    filled: bool = False

    def holds(self, number: Any) -> bool:
        """Return True if ``number`` is in the range. Booleans, texts, infinity and NaN are in none."""
        if isinstance(number, bool) or not isinstance(number, Integral if self.whole else Real):
            return False
        value = number if isinstance(number, int) else float(number)
        if isinstance(value, float) and not math.isfinite(value):
            return False
        if value in self.also:
            return True
        low = self.least is None or (value > self.least if self.above else value >= self.least)
        high = self.most is None or (value < self.most if self.below else value <= self.most)
        return low and high

    @property
    def text(self) -> str:
        """Return the range in words, for messages."""
        words = ["a whole number" if self.whole else "a number"]
        limits = []
        if self.least is not None:
            limits.append(f"above {_number(self.least)}" if self.above else f"from {_number(self.least)} on")
        if self.most is not None:
            limits.append(f"below {_number(self.most)}" if self.below else f"at most {_number(self.most)}")
        if self.least is not None and self.most is not None and not (self.above or self.below):
            limits = [f"from {_number(self.least)} to {_number(self.most)}"]
        words += [" and ".join(limits)] if limits else ["that is finite"] if not self.whole else []
        words += [f"or {number:g}" for number in self.also]
        return " ".join(words)


def _number(value: float) -> str:
    """Return a number with commas between thousands."""
    return f"{value:,}" if isinstance(value, int) and value >= 10_000 else f"{value:g}"


COUNT = Range(1, 10**9, whole=True)
WHOLE = Range(0, 10**9, whole=True)
INTEGER = Range(whole=True)
NEVER_OR_COUNT = Range(1, 10**9, whole=True, also=(-1,))
WIDTH = Range(1, 65536, whole=True, filled=True)
SIDE = Range(1, 16384, whole=True, filled=True)
FRAMES = Range(1, 10**6, whole=True)
SEED = Range(0, 2**32 - 1, whole=True)
REAL = Range()
POSITIVE = Range(0, above=True)
NOT_NEGATIVE = Range(0)
SHARE = Range(0, 1)
PROPER_SHARE = Range(0, 1, below=True)
RATE = Range(0, 1000, above=True)  # frames a second

_NAMES: dict[Range, str] = {
    # Counts of things, of steps and of iterations.
    COUNT: "batch_size batch num number num_samples samples num_joints num_states takes reach scales steps_each "
    "max_epochs max_iters val_interval every repeat repeats accumulative_counts window_size patience cardinality "
    "blocks bins shrink num_points convs kernel kernels layers iterations jobs clips people chunk micro_batch "
    "step_size T_max total_steps period periods observed smooth grid max_iter history_size ns_steps draws sequences "
    "profile_times history scale num_batch_per_epoch "
    "base_batch_size num_digits size_divisor pad_size_divisor bucket_cap_mb_list questions raters megabytes",
    # Counts that may be none, and positions.
    WHOLE: "begin end stem begin_iter num_labels num_landmarks num_classes test_scenes label_size map_channels start "
    "val_begin latest draw min_distance residual_blocks bottleneck_blocks groups "
    "max_distance save_begin num_dropouts cooldown skip extra_people prefetch_factor steps interval_exp_name "
    "motion_channels min_length warmup milestones skip_states opencv_num_threads checks missed",
    INTEGER: "out_indices last_step dim device_id device_ids output_device",
    NEVER_OR_COUNT: "interval max_keep_ckpts",
    Range(2, 10**6, whole=True): "interpolate",
    Range(0, 512, whole=True): "num_workers",
    Range(0, 65535, whole=True): "port",
    Range(1, 512, whole=True): "workers",
    WIDTH: "width widths max_width temporal_widths features hidden code embedder_width squeezed in_channels "
    "out_channels same_size_as input_size",
    Range(0, 65536, whole=True): "noise",
    Range(1, 1024, whole=True): "channels maps",
    Range(0, 1024, whole=True): "side",
    SIDE: "size image_size resize",
    FRAMES: "length min_stride frames num_frames min_frames max_length last_length decoded_frames window stride time",
    SEED: "seed seeds",
    # Rates of learning, weights of losses, and their schedules.
    NOT_NEGATIVE: "lr eps weight_decay eta_min eta_max min_value weight motion_weight change_weight free_nats margin "
    "min_displacement gradient_penalty threshold timeout max_norm norm_type min_delta clear "
    "faint slope brightness contrast saturation lambd lr_decay initial_accumulator_value power",
    POSITIVE: "initial_weights max_nats max_displacement spot rest sigma sigma_affine sigma_spline least_spread peak "
    "temperature minutes seconds scale_factor div_factor "
    "final_div_factor gamma std clip_value data_range",
    PROPER_SHARE: "betas",
    SHARE: "dropout embedder_dropout probability prob momentum dampening factor end_factor alpha rho cutout "
    "translation temporal_split pct_start start_factor wrong_image wrong_label wrong_past backwards",
    Range(0, 1, above=True): "smallest",
    RATE: "fps",
    REAL: "mask_bias identity_bias initial_log_variance log_variance_bounds mean channel_weights pad_val pad_value "
    "stopping_threshold momentum_decay",
}

RANGES: dict[str, Range] = {name: numbers for numbers, names in _NAMES.items() for name in names.split()}


def range_of(name: str) -> Range | None:
    """Return the range of the argument ``name``, or None if the table does not know it.

    >>> range_of("batch_size").text
    'a whole number from 1 to 1,000,000,000'
    """
    return RANGES.get(name)
