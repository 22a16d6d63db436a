"""predict(): samples in, proposals out. Loads only files that pass `prelabel.core.artefact`.

A batch that does not fit into memory is halved; a single sample that does not fit gives no proposal and is
counted. Bad
outputs (not a number, outside, unknown label, over the limits) are dropped by `clean` and counted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from annotator.core.errors import Invalid
from prelabel.core import artefact, measures
from prelabel.core.kinds import KINDS
from prelabel.core.outline import raster_to_rings
from prelabel.core.samples import Example, Proposal, Sample
from prelabel.nets.features import FeatureCache

FLOOR = 0.03
MOST = 300
NMS_IOU = 0.55
MIN_MASK_PX = 16


def _(text: str) -> str:
    return text


class Predictor:
    """One loaded model. `raw` is what it sees; `propose` is what is offered to people."""

    def __init__(
        self,
        meta: Mapping[str, Any],
        arrays: Mapping[str, NDArray[Any]],
        *,
        cache: FeatureCache,
        encoder: Any = None,
    ) -> None:
        self.meta = dict(meta)
        self.kind: str = meta["kind"]
        self.labels: list[str] = list(meta["labels"])
        self.threshold = float(meta.get("threshold", 0.3))
        self.cache = cache
        self.encoder = encoder
        if self.kind == "text_class":
            from prelabel.nets.text import TextModel

            self._text = TextModel(meta, arrays)
            return
        from prelabel.nets.heads import BoxHead, MaskHead, load_state

        net = (BoxHead if self.kind == "boxes" else MaskHead)(len(self.labels))
        load_state(net, arrays)
        self._net = net.eval().to(encoder.device)

    @classmethod
    def load(
        cls, data: bytes, *, cache: FeatureCache, encoder: Any = None, encoder_weights: str = "package"
    ) -> Predictor:
        """Checks the file (format, names, shapes, finite weights) and builds the model; raises Invalid with
        the reason."""
        meta, _first = artefact.unpack(data)
        kind, labels = meta.get("kind"), meta.get("labels")
        if (
            kind not in KINDS
            or not isinstance(labels, list)
            or not all(isinstance(label, str) for label in labels)
        ):
            raise Invalid("model_refused", _("The model file does not say what it is for."))
        if not 1 <= len(labels) <= 10_000 or len(set(labels)) != len(labels):
            raise Invalid("model_refused", _("The model file does not say what it is for."))
        if kind == "text_class":
            from prelabel.nets import text

            terms = meta.get("terms")
            if not isinstance(terms, list) or not all(isinstance(term, str) for term in terms):
                raise Invalid("model_refused", _("The model file does not say what it is for."))
            if len(set(terms)) != len(terms) or not terms or not isinstance(meta.get("control"), str):
                raise Invalid("model_refused", _("The model file does not say what it is for."))
            _meta, arrays = artefact.unpack(data, text.shapes(meta))
            return cls(meta, arrays, cache=cache)
        from prelabel.nets.device import settle
        from prelabel.nets.encoder import Encoder
        from prelabel.nets.heads import BoxHead, MaskHead, shapes_of

        if kind == "boxes" and meta.get("size") not in range(64, 2049, 32):
            raise Invalid("model_refused", _("The model file does not say what it is for."))
        _meta, arrays = artefact.unpack(
            data, shapes_of((BoxHead if kind == "boxes" else MaskHead)(len(labels)))
        )
        if encoder is None:
            encoder = Encoder(encoder_weights, settle())
        if meta.get("encoder") != encoder.id:
            raise Invalid(
                "model_refused",
                _("The model was trained on another encoder than the one installed here."),
                cure=_("Train it again."),
            )
        return cls(meta, arrays, cache=cache, encoder=encoder)

    def raw(self, samples: Sequence[Sample]) -> list[Any]:
        """One output a sample, None where the device could not hold even that sample alone.

        boxes: list of (label, (x0, y0, x1, y1), score). masks: {"map": uint8 label map, "sure": {label:
        probability}}.
        text_class: (class, probability).
        """
        if not samples:
            return []
        try:
            return self._batch(samples)
        except (RuntimeError, MemoryError) as error:
            from prelabel.nets.device import out_of_memory

            if not out_of_memory(error):
                raise
        if len(samples) == 1:
            return [None]
        middle = len(samples) // 2
        return self.raw(samples[:middle]) + self.raw(samples[middle:])

    def _batch(self, samples: Sequence[Sample]) -> list[Any]:
        if self.kind == "text_class":
            p = self._text.probabilities([sample.text or "" for sample in samples])
            best = p.argmax(axis=1)
            return [(self.labels[index], float(row[index])) for index, row in zip(best, p, strict=True)]
        if self.kind == "boxes":
            return self._boxes(samples)
        return [self._mask(sample) for sample in samples]

    def _boxes(self, samples: Sequence[Sample]) -> list[Any]:
        import torch

        from prelabel.nets import views
        from prelabel.nets.heads import BOX_STRIDES
        from prelabel.training.boxes import decode

        size = self.meta["size"]
        shapes = [views.picture_of(sample).shape[:2] for sample in samples]
        maps = [views.box_maps(sample, self.encoder, self.cache, size, False) for sample in samples]
        with torch.no_grad():
            heat, distances = self._net(views.stack(maps, BOX_STRIDES, self.encoder.device))
        out: list[Any] = []
        for (height, width), (index, boxes, scores) in zip(
            shapes, decode(heat, distances, FLOOR, MOST), strict=True
        ):
            boxes = boxes / (size / max(height, width))
            boxes = np.clip(boxes, 0, [width, height, width, height])
            found = []
            for label in np.unique(index):
                of_label = index == label
                some, sure = boxes[of_label], scores[of_label]
                for at in measures.suppress(some, sure, NMS_IOU):
                    found.append(
                        (self.labels[int(label)], tuple(float(v) for v in some[at]), float(sure[at]))
                    )
            out.append(sorted(found, key=lambda one: -one[2]))
        return out

    def _mask(self, sample: Sample) -> dict[str, Any]:
        import torch
        from torch.nn import functional

        from prelabel.nets import views
        from prelabel.nets.heads import MASK_STRIDES

        height, width = views.picture_of(sample).shape[:2]
        scale = min(1.0, views.MASK_LONG_SIDE / max(height, width))
        rows, columns = max(1, round(height * scale)), max(1, round(width * scale))
        maps = views.mask_maps(sample, self.encoder, self.cache)
        with torch.no_grad():
            logits = self._net(views.stack([maps], MASK_STRIDES, self.encoder.device))
            logits = functional.interpolate(logits, scale_factor=4, mode="bilinear", align_corners=False)
            p = torch.softmax(logits[:, :, :rows, :columns], 1)
            if (rows, columns) != (height, width):
                p = functional.interpolate(p, size=(height, width), mode="bilinear", align_corners=False)
            sure, labels = p[0].max(0)
        label_map = labels.cpu().numpy().astype(np.uint8 if len(self.labels) < 255 else np.uint16)
        probability = sure.cpu().numpy()
        return {
            "map": label_map,
            "sure": {
                label: float(probability[label_map == index + 1].mean())
                for index, label in enumerate(self.labels)
                if (label_map == index + 1).any()
            },
        }

    def propose(self, samples: Sequence[Sample], shapes: Mapping[str, set[str]]) -> list[Proposal]:
        """Proposals, not cleaned yet. shapes: shape -> labels the schema accepts, to choose mask or
        polygon."""
        return [self._proposal(output, shapes) for output in self.raw(samples)]

    def _proposal(self, output: Any, shapes: Mapping[str, set[str]]) -> Proposal:
        proposal = Proposal()
        if output is None:
            proposal.dropped["out_of_memory"] += 1
            return proposal
        if self.kind == "text_class":
            answer, probability = output
            proposal.answers = {self.meta["control"]: answer}
            proposal.score = probability
        elif self.kind == "boxes":
            for label, (x0, y0, x1, y1), score in output:
                if score >= self.threshold:
                    geometry = {"x0": x0, "y0": y0, "x1": x1, "y1": y1}
                    proposal.regions.append(
                        {"shape": "box", "label": label, "geometry": geometry, "score": score}
                    )
        else:
            for index, label in enumerate(self.labels):
                raster = output["map"] == index + 1
                if raster.sum() < MIN_MASK_PX:
                    continue
                score = output["sure"][label]
                if label in shapes.get("mask", ()):
                    proposal.regions.append(
                        {"shape": "mask", "label": label, "geometry": {"raster": raster}, "score": score}
                    )
                    continue
                # Polygons here have no holes: a ring round a hole covers it, which a person sees and mends.
                for ring in raster_to_rings(raster, min_area_px=MIN_MASK_PX):
                    proposal.regions.append(
                        {"shape": "polygon", "label": label, "geometry": {"rings": [ring]}, "score": score}
                    )
        return proposal


def truth_of(predictor: Predictor, example: Example) -> Any:
    """The accepted answer in the form `raw` gives, for the measures."""
    if predictor.kind == "boxes":
        return [(label, (x0, y0, x1, y1)) for label, x0, y0, x1, y1 in example.target.boxes]
    if predictor.kind == "masks":
        from prelabel.nets.views import picture_of
        from prelabel.training.masks import truth_of as label_map

        return label_map(example, predictor.labels, *picture_of(example.sample).shape[:2])
    return example.target.answers[predictor.meta["control"]]
