"""Errors that a user can fix. Each message says what was wrong, where, and what to do."""


class I2VError(Exception):
    """Base class of all errors that a user caused or can fix. The tools print them without a traceback and exit 1."""


class ConfigError(I2VError):
    """An error in a config, a key or a combination of parts."""


class DataError(I2VError):
    """An error about a data set that is missing, incomplete or not the expected one."""


class RangeError(DataError, ValueError):
    """An error about arrays that a score cannot take: of other shapes, or of values on another or an unknown scale."""


class MediaError(I2VError):
    """An error about an image or video file that cannot be read or written."""


class CheckpointError(I2VError):
    """An error about a checkpoint that is missing, belongs to another model, is unsafe, or is no checkpoint."""


class TrainingError(I2VError):
    """An error that ends a training, for instance a loss that is not finite."""


class TrainingStopped(KeyboardInterrupt):
    """The orderly end of a training after a signal. It is no mistake, and tools exit with 128 + ``signal``.

    Args:
        message: How far the training came, and how to go on.
        signal: The number of the signal.
    """

    def __init__(self, message: str, signal: int) -> None:
        super().__init__(message)
        self.signal = signal
