"""Renderers that write synthetic data sets in the raw layouts of real ones.

They also write an exact ground truth of motion transfer, which no real data set has. Each layout has one file, and the
arguments of its function are the options of ``tools/synthesize_data.py``. The drawing is in the folders ``arm/``,
``faces/`` and ``figures/``.
"""

from i2vkit.rendering.synthetic_bair import synthesize_bair
from i2vkit.rendering.synthetic_mug import synthesize_mug
from i2vkit.rendering.synthetic_natops import synthesize_natops
from i2vkit.rendering.synthetic_oulu_casia import synthesize_oulu_casia
from i2vkit.rendering.synthetic_penn_action import synthesize_penn_action
from i2vkit.rendering.synthetic_uva_nemo import synthesize_uva_nemo
from i2vkit.rendering.synthetic_weizmann import synthesize_weizmann

SYNTHESIZERS = {
    "bair": synthesize_bair,
    "mug": synthesize_mug,
    "natops": synthesize_natops,
    "oulu_casia": synthesize_oulu_casia,
    "penn_action": synthesize_penn_action,
    "uva_nemo": synthesize_uva_nemo,
    "weizmann": synthesize_weizmann,
}

__all__ = [
    "SYNTHESIZERS",
    "synthesize_bair",
    "synthesize_mug",
    "synthesize_natops",
    "synthesize_oulu_casia",
    "synthesize_penn_action",
    "synthesize_uva_nemo",
    "synthesize_weizmann",
]
