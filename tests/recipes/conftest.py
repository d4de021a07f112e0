"""What the tests of training learn from, they learn from, too."""

from tests.training.conftest import config, model, one_thread, pictures

__all__ = ["config", "model", "one_thread", "pictures"]
