"""Images embedded by the workers of a dask cluster, prompts answered here: borrowed hardware."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from threading import Thread
from typing import TYPE_CHECKING, Any
from weakref import finalize

from numpy.typing import ArrayLike

from napari_sam.arrays import Array, ContrastRange, LazyArray
from napari_sam.batch.cluster import (
    PATIENCE,
    check_model,
    check_versions,
    connected,
    workers_turn,
)
from napari_sam.batch.model import WorkersModel, workers_model
from napari_sam.errors import CheckpointError, ClusterError, InputError
from napari_sam.inference.image import check_image
from napari_sam.inference.predictor import Predictor
from napari_sam.inference.pyramid import PyramidTile
from napari_sam.inference.store.disk import from_arrays, to_arrays
from napari_sam.inference.store.store import EmbeddingStore
from napari_sam.model.load import load_model
from napari_sam.model.sam import Sam
from napari_sam.progress import Pause
from napari_sam.reasons import reason
from napari_sam.serving.segmenter import Report, StoredSegmenter

if TYPE_CHECKING:
    from distributed import Client, Future

    from napari_sam.inference.embedding import Embedding
    from napari_sam.inference.tiled_embedding import TiledEmbedding

__all__ = ["RemotePredictor", "RemoteSegmenter", "load_remote"]

POLL_S, LOOK_S = 0.005, 1.0  # between two pauses, and two looks whether there are workers
URGENT, LATER = 1, 0  # among all who share the workers, what is wanted for a prompt goes first
LARGE_GRAPH = "distributed.admin.large-graph-warning-threshold"
HERE = (
    "Pictures are prepared on this machine now; to try the cluster again, choose it once more "
    "under Device."
)


def load_remote(name: str, address: str, report: Report, store: EmbeddingStore) -> RemoteSegmenter:
    """Load a model here, for the prompts, and on the workers of a cluster, for the images.

    Where the cluster is not there, or not fit for it, images are embedded here; see
    `RemoteSegmenter.news`.

    Parameters
    ----------
    name : str
        A name of the zoo, or a file that the workers see under the same path.
    address : str
        Of the scheduler, such as ``tcp://host:8786``.
    report : callable
        Hears of the progress.
    store : EmbeddingStore
        Where its embeddings are kept.
    """
    model = load_model(name, "auto")
    report(f"Asking the workers of {address}", 0, 0)
    return RemoteSegmenter(RemotePredictor(model, address, name), store)


class RemotePredictor(Predictor):
    """Predictor whose images are embedded by the workers of a dask cluster.

    Where that fails, for whatever reason, images are embedded here from then on.

    Parameters
    ----------
    model : Sam
        The model here, which answers the prompts.
    address : str
        Of the scheduler, such as ``tcp://host:8786``.
    name : str
        Of the model, as the workers load it.

    Attributes
    ----------
    address : str
        As given.
    priority : int
        Of the images that are embedded next, among all that the workers have to do.
    broken : str
        Why images are embedded here; empty while the cluster does it.
    """

    def __init__(self, model: Sam, address: str, name: str) -> None:
        super().__init__(model)
        self.address = address
        self.priority = URGENT
        self.broken = ""
        self._line = ExitStack()
        try:
            self._theirs = workers_model(name)
            self._client = self._line.enter_context(connected(address))
            check_versions(self._client)
            check_model(self._client, self._theirs)
        except (ClusterError, OSError) as error:
            self._break(error)
        finalize(self, _close, self._line)

    def embed(
        self,
        image: ArrayLike,
        contrast: ContrastRange | None = None,
        pause: Pause | None = None,
        *,
        sizes: Sequence[tuple[int, int]] | None = None,
        compact: bool = False,
    ) -> Embedding:
        """Embed an image on the cluster, as `Predictor.embed` does here; its features are float16.

        `pause` is called while a worker has it.
        """
        stops: list[BaseException] = []

        def rest() -> None:
            try:
                if pause is not None:
                    pause()
            except BaseException as error:
                stops.append(error)
                raise

        if not self.broken:
            arguments = (self._theirs, check_image(image), contrast, sizes)
            try:
                found = _answer(self._client, self.priority, rest, *arguments)
                return from_arrays(*found).to(self.model.device)
            except Exception as error:  # workers and networks fail in more ways than anybody names
                if error in stops or isinstance(error, InputError | CheckpointError):
                    raise
                self._break(error)
        return super().embed(image, contrast, pause, sizes=sizes, compact=compact)

    def _break(self, error: BaseException) -> None:
        said = error if isinstance(error, ClusterError) else f"{self.address}: {reason(error)}"
        self.broken = f"{said}. {HERE}"
        _close(self._line)


class RemoteSegmenter(StoredSegmenter):
    """Segmenter whose images are embedded on a cluster, those that prompts wait for first."""

    predictor: RemotePredictor

    def __init__(self, predictor: RemotePredictor, store: EmbeddingStore) -> None:
        super().__init__(predictor, store)
        self._told = False

    @property
    def device(self) -> str:
        """Address of the cluster; the device here where that is of no use any more."""
        return super().device if self.predictor.broken else self.predictor.address

    def news(self) -> str:
        """Return, once, why the cluster is of no use any more."""
        told, self._told = self._told, bool(self.predictor.broken)
        return "" if told else self.predictor.broken

    def embed(
        self,
        image: LazyArray,
        contrast: ContrastRange | None = None,
        pause: Pause | None = None,
    ) -> Embedding | TiledEmbedding:
        """Do as `StoredSegmenter.embed`, before what others prepare ahead."""
        with self._with_priority(URGENT):
            return super().embed(image, contrast, pause)

    def keep(
        self,
        image: LazyArray,
        contrast: ContrastRange | None = None,
        pause: Pause | None = None,
    ) -> int:
        """Do as `StoredSegmenter.keep`, after what prompts of others wait for."""
        with self._with_priority(LATER):
            return super().keep(image, contrast, pause)

    def keep_tile(
        self, tiled: TiledEmbedding, tile: PyramidTile, pause: Pause | None = None
    ) -> int:
        """Do as `StoredSegmenter.keep_tile`, after what prompts of others wait for."""
        with self._with_priority(LATER):
            return super().keep_tile(tiled, tile, pause)

    @contextmanager
    def _with_priority(self, priority: int) -> Iterator[None]:
        before, self.predictor.priority = self.predictor.priority, priority
        try:
            yield
        finally:
            self.predictor.priority = before


def _answer(
    client: Client,
    priority: int,
    pause: Callable[[], None],
    model: WorkersModel,
    image: Array,
    contrast: ContrastRange | None,
    sizes: Sequence[tuple[int, int]] | None,
) -> tuple[dict[str, Any], dict[str, Array]]:
    """Return the embedding that a worker makes, as arrays.

    Raises
    ------
    ClusterError
        If there are no workers any more.
    Exception
        Whatever `pause`, the worker or the network raises.
    """
    import dask

    with dask.config.set({LARGE_GRAPH: "1GB"}):  # a picture is large, and wanted only once
        future: Future[Any] = client.submit(
            _embed, model, image, contrast, sizes, priority=priority, pure=False
        )
    try:
        looked = time.monotonic()
        alone_since: float | None = None
        while not future.done():
            pause()
            time.sleep(POLL_S)
            now = time.monotonic()
            if now - looked < LOOK_S:
                continue
            looked = now
            if client.status != "running":
                raise ClusterError("the scheduler is gone")
            alone_since = None if client.nthreads() else alone_since or now
            if alone_since is not None and now - alone_since > PATIENCE:
                raise ClusterError("the cluster has no workers any more")
        return future.result()  # type: ignore[no-any-return]
    except BaseException:
        if client.status == "running":
            client.cancel([future], force=True)
        raise


def _embed(
    model: WorkersModel,
    image: Array,
    contrast: ContrastRange | None,
    sizes: Sequence[tuple[int, int]] | None,
) -> tuple[dict[str, Any], dict[str, Array]]:
    """Embed an image with the worker's model; return the embedding as arrays, which travel."""
    with workers_turn(model) as predictor:
        return to_arrays(predictor.embed(image, contrast, sizes=sizes, compact=True))


def _close(line: ExitStack) -> None:
    """Close a connection beside whoever lets go of it: it may wait for what does not answer."""
    Thread(target=line.close, name="napari-sam cluster", daemon=True).start()
