from . import text as text
from .inference.automatic.linking import link_slices as link_slices
from .inference.automatic.search import propose_grid as propose_grid
from .inference.automatic.search import propose_instances as propose_instances
from .inference.automatic.selection import Selection as Selection
from .inference.automatic.selection import proposals_to_labels as proposals_to_labels
from .inference.automatic.settings import GridSettings as GridSettings
from .inference.automatic.settings import InstanceSettings as InstanceSettings
from .inference.edit.clean import CleanSettings as CleanSettings
from .inference.edit.clean import clean_labels as clean_labels
from .inference.mask_prompts import PromptRule as PromptRule
from .inference.predictor import Predictor as Predictor
from .inference.propagation.propagate import propagate as propagate
from .inference.propagation.settings import PropagateSettings as PropagateSettings
from .inference.refinement.refine import refine as refine
from .model.load import load_model as load_model
from .prompts import ABSENT as ABSENT
from .prompts import Prompts as Prompts
from .results import Prediction as Prediction
from .results import Proposal as Proposal
from .results import Step as Step
from .text.similar import Similar as Similar
from .text.similar import find_similar as find_similar

__version__: str
