"""Errors that a user can mend: each message says what was wrong, where, and what to do."""


class I2VError(Exception):
    """Base of every error that a user caused or can mend; the tools print it without a traceback and exit with 1."""


class ConfigError(I2VError):
    """A config, a key or a combination of parts that makes no sense."""


class DataError(I2VError):
    """A data set that is missing, half unpacked or not what was asked for."""


class MediaError(I2VError):
    """An image or video file that cannot be read or written."""


class CheckpointError(I2VError):
    """A checkpoint that is missing, of another model, unsafe or not a checkpoint."""


class TrainingError(I2VError):
    """A training that cannot go on, for instance because a loss is not finite."""
