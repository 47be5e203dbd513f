"""i2vkit: image-to-video generation with GANs from interchangeable parts."""

__version__ = "0.1.0"
