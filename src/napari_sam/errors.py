"""Exceptions of this package; every message says what was given and what to do."""

__all__ = [
    "DISTRIBUTION",
    "CheckpointError",
    "ClusterError",
    "DeviceError",
    "DownloadError",
    "InputError",
    "NapariSamError",
    "SessionError",
]

DISTRIBUTION = "napari-sam"
"""What pip and napari call this package; docs/releasing.md says where else it has to stand."""


class NapariSamError(Exception):
    """Base class of all exceptions that this package raises on purpose."""


class InputError(NapariSamError, ValueError):
    """A picture, a prompt or a setting cannot be used as given."""


class CheckpointError(NapariSamError):
    """A weights file is unsafe, damaged, of another architecture or not what it claims to be."""


class ClusterError(NapariSamError):
    """A cluster cannot be reached, or its workers are not fit for the work."""


class DownloadError(NapariSamError):
    """Weights could not be downloaded or verified."""


class DeviceError(NapariSamError):
    """The chosen device is missing or ran out of memory even for the smallest batch."""


class SessionError(NapariSamError):
    """A saved session cannot be read, or a step of it cannot be written."""
