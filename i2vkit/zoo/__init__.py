"""The models that are shipped with i2vkit: found, loaded, described, added and verified by name.

    from i2vkit.apis import I2VInferencer
    animate = I2VInferencer.from_pretrained("dtgan-faces")

``index.json`` lists them with the SHA-256 of each file in ``weights/``. Reading it needs no torch.
"""
