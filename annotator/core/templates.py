"""What a new project starts from: schema and workflow for pictures, for text, or next to nothing. Pure data.

A template is one entry; the page and the API list what is here. Titles carry both languages; the rest of the
schema is the lead's to change.
"""

from __future__ import annotations

import copy
from typing import Any

from annotator.core.colours import label_colour

Title = dict[str, str]


def _title(en: str, zh: str) -> Title:
    return {"en": en, "zh": zh}


def _label(
    position: int,
    name: str,
    en: str,
    zh: str,
    severity: str = "B",
    attributes: list[dict[str, Any]] | None = None,
) -> dict[str, Any]:
    return {
        "name": name,
        "title": _title(en, zh),
        "parent": None,
        "color": label_colour(position),
        "hotkey": str(position + 1),
        "class": severity,
        "retired": False,
        "attributes": attributes or [],
    }


_GUIDE_PICTURES = {
    "en": "# Task\nMark each object of the listed labels that can be told from its surroundings.\n\n"
    "# What to mark\n- The whole visible object, touching its edge.\n- Parts of one object together.\n\n"
    "# What not to mark\n- Reflections and drawings of objects.\n\n"
    "# When unsure\nChoose the label that fits best and set *uncertain*.\n",
    "zh": "# 任务\n标出标签列表中每个能与周围区分开的物体。\n\n"
    "# 应当标注\n- 物体的全部可见部分，贴合边缘。\n- 同一物体的各部分合为一个。\n\n"
    "# 不要标注\n- 物体的倒影和图画。\n\n# 拿不准时\n"
    "选择最接近的标签，并勾选“不确定”。\n",
}
_GUIDE_TEXT = {
    "en": "# Task\nMark names in the text and answer what the text says as a whole.\n\n"
    "# What to mark\n- The whole name, without punctuation around it.\n\n"
    "# What not to mark\n- Pronouns and general words.\n",
    "zh": "# 任务\n标出文中的名称，并回答全文的问题。\n\n"
    "# 应当标注\n- 完整的名称，不含两侧标点。\n\n# 不要标注\n- 代词和泛指的词。\n",
}
_UNCERTAIN = {"name": "uncertain", "kind": "flag", "title": _title("Uncertain", "不确定"), "required": False}

_TEMPLATES: dict[str, dict[str, Any]] = {
    "pictures": {
        "title": _title("Pictures", "图片"),
        "about": _title(
            "Boxes, polygons and masks on pictures; two people blind, differences to an expert.",
            "在图片上标矩形、多边形和掩膜；双人盲标，差异交专家仲裁。",
        ),
        "schema": {
            "format": 1,
            "title": _title("Objects in pictures", "图片中的物体"),
            "controls": [
                {
                    "name": "objects",
                    "kind": "regions",
                    "shapes": ["box", "polygon", "mask"],
                    "asset": "image",
                    "title": _title("Objects", "物体"),
                    "labels": "all",
                },
            ],
            "labels": [
                _label(0, "object", "Object", "物体", "A", [_UNCERTAIN]),
                _label(1, "part", "Part", "部件", "B", [_UNCERTAIN]),
                _label(2, "other", "Other", "其他", "C"),
            ],
            "constraints": [{"kind": "min_size_px", "value": 3}],
            "guideline": {"version": 1, "text": _GUIDE_PICTURES},
        },
        "workflow": {"slots": 2, "check": None},
    },
    "text": {
        "title": _title("Text", "文本"),
        "about": _title(
            "Spans in text and a question about the whole; two people blind, differences to an expert.",
            "标出文本片段并回答全文问题；双人盲标，差异交专家仲裁。",
        ),
        "schema": {
            "format": 1,
            "title": _title("Names and topic", "名称与主题"),
            "controls": [
                {
                    "name": "names",
                    "kind": "regions",
                    "shapes": ["span"],
                    "asset": "text",
                    "title": _title("Names", "名称"),
                    "labels": "all",
                },
                {
                    "name": "tone",
                    "kind": "choice",
                    "title": _title("Tone of the text", "全文语气"),
                    "required": True,
                    "per": "item",
                    "options": [
                        {"name": "positive", "title": _title("Positive", "正面"), "hotkey": "p"},
                        {"name": "neutral", "title": _title("Neutral", "中性"), "hotkey": "n"},
                        {"name": "negative", "title": _title("Negative", "负面"), "hotkey": "g"},
                    ],
                },
            ],
            "labels": [
                _label(0, "person", "Person", "人名", "A"),
                _label(1, "place", "Place", "地名", "B"),
                _label(2, "organisation", "Organisation", "机构", "B"),
            ],
            "constraints": [],
            "guideline": {"version": 1, "text": _GUIDE_TEXT},
        },
        "workflow": {"slots": 2, "check": None},
    },
    "empty": {
        "title": _title("Empty", "空白"),
        "about": _title(
            "One person a task and one yes-or-no question; everything else is added in the schema form.",
            "每条一人标注，只有一个是非题；其余在标签体系表单中添加。",
        ),
        "schema": {
            "format": 1,
            "title": _title("New schema", "新标签体系"),
            "controls": [
                {
                    "name": "usable",
                    "kind": "choice",
                    "title": _title("Is this item what it should be?", "该样本是否符合要求？"),
                    "required": True,
                    "per": "item",
                    "options": [
                        {"name": "yes", "title": _title("Yes", "是")},
                        {"name": "no", "title": _title("No", "否")},
                    ],
                },
            ],
            "labels": [],
            "constraints": [],
            "guideline": {"version": 1, "text": ""},
        },
        "workflow": {"slots": 1, "check": None},
    },
}


def names() -> tuple[str, ...]:
    """The templates, in the order in which they are offered."""
    return tuple(_TEMPLATES)


def template(name: str) -> dict[str, Any]:
    """A copy of one template: title, about, schema, workflow. Raises KeyError."""
    return copy.deepcopy(_TEMPLATES[name])
