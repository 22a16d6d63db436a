"""The job in which a trained model prelabels the tasks that wait."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from annotator import blobs
from annotator.core.errors import Conflict, Unavailable
from prelabel.actions.steps.runs import Proposer, prelabel_waiting
from prelabel.core import schema_view
from prelabel.core.kinds import SHAPES
from prelabel.models import ModelVersion, TrainingItem
from prelabel.training.job import cache

if TYPE_CHECKING:
    from annotator.jobs import Ticket


def source_of(model: ModelVersion) -> str:
    """What prelabels of this model name as their source; each question has its own."""
    control = model.params.get("control")
    return f"model:{model.kind}:{control}" if control else f"model:{model.kind}"


def run(ticket: Ticket) -> dict[str, Any]:
    """The job's handler. Items (and groups) that the model learned from or was judged by are left out and
    counted."""
    from prelabel.serve.predict import Predictor

    model = ModelVersion.objects.select_related("project__schema").get(public_id=ticket.payload["model"])
    if model.state != "ready":
        raise Conflict("model_not_ready", "This model version is not in use.", state=model.state)
    try:
        predictor = Predictor.load(blobs.read(model.sha256), cache=cache())
    except ImportError as error:
        raise Unavailable("models_missing", "The model packages are not installed yet.") from error
    shapes = schema_view.shape_labels(model.project.schema.document if model.project.schema else {})
    taught = TrainingItem.objects.filter(model=model).values_list("item_id", "group")
    by = Proposer(
        source=source_of(model),
        version=str(model.number),
        input="text" if model.kind == "text_class" else "image",
        shapes=SHAPES[model.kind],
        propose=lambda samples: predictor.propose(samples, shapes),
        model=model,
        batch=256 if model.kind == "text_class" else 8,
        blocked_items={item for item, _group in taught},
        blocked_groups={group for _item, group in taught if group},
    )
    return prelabel_waiting(ticket, model.project, by)
