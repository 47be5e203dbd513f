"""Common ground of the pages that i2vkit serves: packages of the extra ``web``, addresses and safe headers."""
