"""Fine-tuning on a user's labelled images, as one generator for panel and command line."""

from __future__ import annotations

import logging
import math
from collections.abc import Generator, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from napari_sam.data.samples import LabelledImage, data_digest
from napari_sam.errors import InputError
from napari_sam.evaluation.evaluate import ObjectScores, evaluate
from napari_sam.inference.predictor import Predictor
from napari_sam.model.config import HieraConfig
from napari_sam.model.sam import Sam
from napari_sam.model.weights.torch_files import read_torch
from napari_sam.progress import Estimate, Progress
from napari_sam.reasons import reason
from napari_sam.training.instances.teach import can_learn
from napari_sam.training.logs import TrainingLog
from napari_sam.training.plan import ABOUT, WHAT, Plan, recipe_for, views_for
from napari_sam.training.trainer import StepReport, Trainer
from napari_sam.training.validation import BestWeights, Validation, ValidationPreview
from napari_sam.training.views import CachedViews, FreshViews
from napari_sam.training.weights import save_own

__all__ = ["ABOUT", "WHAT", "FineTuning", "Plan", "TrainingState", "ValidationPreview"]

logger = logging.getLogger(__name__)
CHECKS = 10  # looks at the validation pictures in a run
PATIENCE = 4  # looks without an improvement after which a run ends
MEASURES = {"click 1": "1 click", "click 3": "3 clicks", "box": "Box"}
EVERYTHING = "Everything (F1)"  # a measure, where the instance decoder learns
MOST = 40  # objects of each validation picture in the table


@dataclass(frozen=True, eq=False)
class TrainingState:
    """State of a fine-tuning run; its progress is that of the phase.

    Parameters
    ----------
    phase : str
        What is being done, in words.
    loss, iou : float, optional
        Of this training step: the loss, and the mean IoU of the masks returned in it.
    validation : float, optional
        Mean IoU after one click on the validation pictures; now and then.
    everything : float, optional
        Mean F1 of the instances on them, where the instance decoder learns.
    preview : ValidationPreview, optional
        A validation picture as the model segments it now.
    """

    phase: str
    loss: float | None = None
    iou: float | None = None
    validation: float | None = None
    everything: float | None = None
    preview: ValidationPreview | None = None


class FineTuning:
    """Fine-tuning run that can be paused, stopped and resumed.

    The weights that ship are those with the best one-click IoU on the validation pictures, and of
    the instance decoder, if there is one, those with the best F1 of instances, the base model's
    among them; a run ends early when neither gets better.

    Parameters
    ----------
    base : Sam
        Is changed in place: load one for this run alone.
    training, validation : sequence of LabelledImage
        To learn from, and to look at; without validation pictures the last weights ship and
        `table` stays empty.
    plan : Plan
    folder : Path
        Holds ``checkpoint.pt`` and ``log.csv``. A checkpoint of the same plan, base and pictures
        is resumed.

    Raises
    ------
    InputError
        If there are no pictures, the base is a SAM 2.1, or the folder holds the checkpoint of
        another run.
    """

    def __init__(
        self,
        base: Sam,
        training: Sequence[LabelledImage],
        validation: Sequence[LabelledImage],
        plan: Plan,
        folder: Path,
    ) -> None:
        if not training:
            raise InputError("there is no labelled picture to learn from")
        if isinstance(base.config.encoder, HieraConfig):
            raise InputError(
                f"{base.entry.name} is a SAM 2.1, which cannot be trained here; take cells_tiny, "
                "or one of SAM's sizes"
            )
        self.model, self.plan, self.folder = base, plan, folder
        self.base = base.entry
        self.data = data_digest([*training, *validation])
        recipe = recipe_for(plan, base.config)
        run = asdict(plan), self.base.name, self.base.sha256
        self._identity = repr((*run, self.base.decoder, self.data))
        alone = repr((*run, self.data))
        # Earlier versions taught no instances; what they began goes on without.
        if not can_learn(base, plan.what) or _identity_in(self.checkpoint) == alone:
            recipe, self._identity = replace(recipe, instances=0), alone
        self.views: CachedViews | FreshViews
        if plan.what == "decoder":
            count = views_for(base.config, len(training))
            self.views = CachedViews(training, base.config, recipe, count)
        else:
            self.views = FreshViews(training, base.config, recipe)
        self.trainer = Trainer(base, recipe, self.views)
        self.validation_images = validation
        self.validation = (
            Validation(base, validation, plan.what == "decoder") if validation else None
        )
        self.table: list[dict[str, float | str]] = []
        self._before: dict[str, float] = {}
        encoder_learns = any(p.requires_grad for p in base.image_encoder.parameters())
        self._best = BestWeights(self.trainer.ema.current(), apart=not encoder_learns)

    @property
    def checkpoint(self) -> Path:
        """Path of the checkpoint to resume from."""
        return self.folder / "checkpoint.pt"

    def run(self) -> Iterator[Progress[TrainingState]]:
        """Run the fine-tuning, or resume it.

        Not asking for the next item pauses it; closing the generator stops it. Either way, and
        after an error, the checkpoint has the last step.
        """
        self.model.eval()
        resumed = self.checkpoint.exists()
        if resumed:
            self._resume()
        elif self.validation is not None:
            self._before = yield from self._scored("Scoring the base model")
        if isinstance(self.views, CachedViews):
            yield from self._look(self.views)
        try:
            if not resumed:
                yield from self._check(0)
            yield from self._train()
        except BaseException:
            self._save()
            raise
        self._try_to_save()
        self.trainer.ema.write(self._best_weights())
        if self.validation is not None:
            after = yield from self._scored("Scoring the new model")
            self.table = [
                {"measure": name, "before": self._before[name], "after": score}
                for name, score in after.items()
            ]

    def save(self, name: str) -> Path:
        """Save the new model among the user's fine-tuned models and return its path.

        Parameters
        ----------
        name : str
            What it is called in every list of models.
        """
        self.trainer.ema.write(self._best_weights())
        return save_own(
            self.model,
            name,
            base=self.base,
            what=self.plan.what,
            steps=self.trainer.step,
            seed=self.plan.seed,
            data=self.data,
            figures={"validation": self.table},
        )

    def _train(self) -> Iterator[Progress[TrainingState]]:
        steps = self.trainer.recipe.steps
        every = max(1, steps // CHECKS)
        estimate = Estimate(self.trainer.step)
        with TrainingLog(self.folder, self.trainer.step) as log:
            for report in self.trainer.run():
                step = self.trainer.step
                state = TrainingState("Training", report.get("loss"), _mean_iou(report))
                left = estimate.left(step, steps)
                if step % every == 0 or step == steps:
                    for look in self._check(step):
                        now = look.result
                        report["validation"] = now.validation or math.nan
                        if now.everything is not None:
                            report["everything"] = now.everything
                        state = replace(now, loss=state.loss, iou=state.iou)
                    self._try_to_save()
                log.write(report)
                yield Progress(step, steps, state, left)
                if self._best.waited >= PATIENCE:
                    return

    def _check(self, step: int) -> Iterator[Progress[TrainingState]]:
        """Look at the validation pictures with the averaged weights and keep the best ones."""
        if self.validation is None:
            return
        with self.trainer.ema.applied():
            score, preview = self.validation.score()
            everything = self._everything()
            self._best.take(self.trainer.ema.current(), score, everything)
        state = TrainingState("Training", validation=score, everything=everything, preview=preview)
        yield Progress(step, self.trainer.recipe.steps, state)

    def _look(self, views: CachedViews) -> Iterator[Progress[TrainingState]]:
        estimate, state = Estimate(), TrainingState("Looking at the pictures")
        for done in views.fill(self.model):
            yield Progress(done, views.count, state, estimate.left(done, views.count))

    def _scored(self, phase: str) -> Generator[Progress[TrainingState], None, dict[str, float]]:
        """Yield progress; return the mean of each measure."""
        self.model.eval()
        rows: list[ObjectScores] = []
        total = len(self.validation_images)
        state = TrainingState(phase)
        yield Progress(0, total, state)
        for done, (_, some) in enumerate(
            evaluate(Predictor(self.model), self.validation_images, MOST), 1
        ):
            rows += some
            yield Progress(done, total, state)
        means = {name: float(np.mean([row[key] for row in rows])) for key, name in MEASURES.items()}
        everything = self._everything()
        return means if everything is None else means | {EVERYTHING: everything}

    def _everything(self) -> float | None:
        """Return the F1 of the instances on the validation pictures, where their decoder learns."""
        if self.validation is None or not self.trainer.recipe.instances:
            return None
        return self.validation.everything()

    def _best_weights(self) -> dict[str, Tensor]:
        return self._best.weights if self.validation is not None else self.trainer.ema.values

    def _save(self) -> None:
        self.trainer.save(
            self.checkpoint,
            identity=self._identity,
            before=self._before,
            best=self._best.scores,
            weights=self._best.weights,
            waited=self._best.waited,
        )

    def _try_to_save(self) -> None:
        """Save while the run goes on: a full disk takes away the checkpoint, not the run."""
        try:
            self._save()
        except OSError as error:
            logger.warning("the run goes on without a checkpoint: %s", reason(error))

    def _resume(self) -> None:
        state = self.trainer.load(self.checkpoint)
        if state["identity"] != self._identity:
            raise InputError(
                f"{self.folder} holds a run with another plan, base model or other pictures; "
                "take another folder, or remove this one to start anew"
            )
        self._before = state["before"]
        best, scores = self._best, state["best"]
        best.scores = scores if isinstance(scores, dict) else {"all": scores}
        best.weights, best.waited = state["weights"], state["waited"]


def _identity_in(checkpoint: Path) -> str | None:
    """Return what a checkpoint says of its run; None if there is none, or it cannot be read."""
    try:
        state: Any = read_torch(checkpoint) if checkpoint.is_file() else {}
        return str(state.get("identity"))
    except Exception:  # of a damaged file anything may be raised; who resumes it is told
        return None


def _mean_iou(report: StepReport) -> float | None:
    found = [report[k] for k in ("click", "box", "mask", "correction") if k in report]
    return float(np.mean(found)) if found else None
