"""From the raw layouts of the data sets to the prepared one that `ClipFolder` reads."""

from i2vkit.datasets.preparation.oulu_casia import prepare_oulu_casia

PREPARERS = {"oulu_casia": prepare_oulu_casia}

__all__ = ["PREPARERS", "prepare_oulu_casia"]
