"""A model that follows discs through a stack."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

import numpy as np
import pytest

from napari_sam.inference.propagation.propagate import propagate
from tests.fakes import FakeSegmenter
from tests.inference.moving import DictStore, DiscPredictor


@dataclass
class FollowingSegmenter(FakeSegmenter):
    """Follows discs; waits in the middle of each new slice unless it is let go."""

    radius: float = 6.0
    predictor: DiscPredictor = field(default_factory=DiscPredictor)
    go: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(999))
    contrasts: list = field(default_factory=list)
    followed: list = field(default_factory=list)

    def propagate(self, stack, seeds, settings, contrast, pause):
        self.contrasts.append(contrast)
        store, segmenter = DictStore(), self

        class Gate:
            def get(self, predictor, image, contrast):
                while not segmenter.go.acquire(timeout=0.005):
                    pause()
                segmenter.followed.append(int(np.max(image[0, 0])) - 100)
                return store.get(predictor, image, contrast)

        return propagate(
            self.predictor, stack, seeds, settings, contrast=contrast, store=Gate(), pause=pause
        )


@pytest.fixture
def model():
    segmenter = FollowingSegmenter()
    yield segmenter
    segmenter.go.release(999)
