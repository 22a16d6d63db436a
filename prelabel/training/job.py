"""The job that trains: reads accepted documents, trains, stores the file, then one write makes the version
visible."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.conf import settings

from annotator import blobs, jobs
from annotator.actions.verb import writing
from annotator.core.canonical import digest
from annotator.core.errors import Unavailable
from prelabel.core.samples import Cancelled
from prelabel.models import ModelVersion, TrainingItem
from prelabel.nets.features import FeatureCache
from prelabel.queries import training_set

if TYPE_CHECKING:
    from annotator.jobs import Ticket

MESSAGES = {"reading pictures": "Reading pictures", "training": "Training"}


def cache() -> FeatureCache:
    """The encoder maps of this site's pictures."""
    return FeatureCache(Path(settings.DATA) / "features")


def run(ticket: Ticket) -> dict[str, Any]:
    """The job's handler. A second try after a kill trains again from the start and ends in the same
    version."""
    from prelabel.training.train import train

    model = ModelVersion.objects.select_related("project__schema").get(job=ticket.job)
    if model.state != "training":
        return {"model": model.public_id, "state": model.state, "metrics": model.metrics}
    project = model.project
    kind, control = ticket.payload["kind"], ticket.payload.get("control")
    ticket.progress(0, None, MESSAGES["reading pictures"], force=True)
    rows, read_at = training_set.read(project, kind)
    features = cache()
    features.prune()
    previous = (
        ModelVersion.objects.filter(project=project, kind=kind, state="ready", params=model.params)
        .order_by("-number")
        .first()
    )
    try:
        trained = train(
            kind,
            [example for _item, example in rows],
            cache=features,
            control=control,
            labels=training_set.labels_for(project, kind),
            split_seed=project.seed,
            previous=_usable(previous),
            minimum=ticket.payload.get("minimum"),
            steps=ticket.payload.get("steps"),
            progress=lambda done, total, message: ticket.progress(
                done, total, MESSAGES.get(message, message)
            ),
        )
    except Cancelled as error:
        raise jobs.Cancelled from error
    except ImportError as error:
        raise Unavailable("models_missing", "The model packages are not installed yet.") from error
    sha256 = blobs.put(trained.artefact)
    trained_on = set(trained.trained_on)
    used = [(item, example) for item, example in rows if _took_part(example, kind, control)]
    with writing(actor=ticket.job.created_by) as w:
        ticket.fence()
        state = "ready" if trained.better else "worse"
        # The conditional update decides: a second writer of the same version changes nothing.
        changed = ModelVersion.objects.filter(pk=model.pk, state="training").update(
            state=state,
            sha256=sha256,
            size=len(trained.artefact),
            metrics=trained.metrics,
            trained_on={**read_at, "items": len(trained_on), "digest": digest(sorted(trained_on))},
        )
        if changed:
            # The holdout counts as well: the score and the threshold come from it, so its items are not
            # prelabelled either.
            TrainingItem.objects.bulk_create(
                [
                    TrainingItem(
                        model=model, item=item, group=item.group, holdout=item.public_id not in trained_on
                    )
                    for item, _example in used
                ],
                batch_size=500,
            )
            w.event(
                project.public_id,
                f"model.{state}",
                model.public_id,
                data={
                    "kind": kind,
                    "number": model.number,
                    "sha256": sha256,
                    "score": trained.metrics["score"],
                },
            )
    return {"model": model.public_id, "state": state, "metrics": trained.metrics}


def _took_part(example: Any, kind: str, control: str | None) -> bool:
    return kind != "text_class" or control in example.target.answers


def _usable(previous: ModelVersion | None) -> bytes | None:
    """The file of the version in use; None when it is gone or refused (then there is nothing to compare
    with)."""
    from annotator.core.errors import ConcordError
    from prelabel.core import artefact

    if previous is None:
        return None
    try:
        data = blobs.read(previous.sha256)
        artefact.unpack(data)
    except ConcordError:
        return None
    return data
