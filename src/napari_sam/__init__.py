"""Point at a cell and get its mask: Segment Anything for microscopy, in napari and without it."""

import os

import lazy_loader

# The public names stand in __init__.pyi; each is loaded when first asked for, so that importing the
# package stays quick.
_public, _, _names = lazy_loader.attach_stub(__name__, __file__)
__all__ = sorted(["__version__", *_names])

# Threads that wait shall sleep, not spin: beside a busy program two spinning threads made one click
# four to nine times slower than one thread, two sleeping ones did not. Torch reads it as it loads.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


def __getattr__(name: str) -> object:
    if name == "__version__":
        from importlib.metadata import version

        from napari_sam.errors import DISTRIBUTION

        return version(DISTRIBUTION)
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return _public(name)


def __dir__() -> list[str]:
    return __all__.copy()
