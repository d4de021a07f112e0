"""Cut a map of tokens into square windows and put it together again."""

from __future__ import annotations

import math

from torch import Tensor

__all__ = ["merge_windows", "split_windows"]


def split_windows(x: Tensor, window: int, fill: Tensor) -> Tensor:
    """Cut a map into windows, in row-major order.

    Parameters
    ----------
    x : (B, H, W, C)
        Tokens.
    window : int
        Side of a window.
    fill : (C,)
        What tokens beyond the right and lower border hold. They take part in attention, as in the
        reference.

    Returns
    -------
    (B * ceil(H / window) * ceil(W / window), window, window, C)
    """
    batch, height, width, channels = x.shape
    rows, columns = math.ceil(height / window), math.ceil(width / window)
    if (height, width) != (rows * window, columns * window):
        padded = fill.to(x.dtype).repeat(batch, rows * window, columns * window, 1)
        padded[:, :height, :width] = x
        x = padded
    x = x.view(batch, rows, window, columns, window, channels)
    return x.transpose(2, 3).reshape(-1, window, window, channels)


def merge_windows(windows: Tensor, height: int, width: int) -> Tensor:
    """Undo `split_windows`: (N, window, window, C) to (B, height, width, C)."""
    window, channels = windows.shape[1], windows.shape[-1]
    rows, columns = math.ceil(height / window), math.ceil(width / window)
    x = windows.view(-1, rows, columns, window, window, channels).transpose(2, 3)
    x = x.reshape(-1, rows * window, columns * window, channels)
    return x[:, :height, :width]
