"""Preparation of the data sets: from their raw layouts to the prepared layout that `ClipFolder` reads."""

from i2vkit.preparation.prepared_bair import prepare_bair
from i2vkit.preparation.prepared_mug import prepare_mug
from i2vkit.preparation.prepared_natops import prepare_natops
from i2vkit.preparation.prepared_oulu_casia import prepare_oulu_casia
from i2vkit.preparation.prepared_penn_action import prepare_penn_action
from i2vkit.preparation.prepared_picture import prepare_picture
from i2vkit.preparation.prepared_uva_nemo import prepare_uva_nemo
from i2vkit.preparation.prepared_weizmann import prepare_weizmann
from i2vkit.preparation.weizmann_strips import prepare_weizmann_strips

PREPARERS = {
    "bair": prepare_bair,
    "mug": prepare_mug,
    "natops": prepare_natops,
    "oulu_casia": prepare_oulu_casia,
    "penn_action": prepare_penn_action,
    "picture": prepare_picture,
    "uva_nemo": prepare_uva_nemo,
    "weizmann": prepare_weizmann,
    "weizmann_strips": prepare_weizmann_strips,
}

__all__ = [
    "PREPARERS",
    "prepare_bair",
    "prepare_mug",
    "prepare_natops",
    "prepare_oulu_casia",
    "prepare_penn_action",
    "prepare_picture",
    "prepare_uva_nemo",
    "prepare_weizmann",
    "prepare_weizmann_strips",
]
