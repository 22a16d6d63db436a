"""Page: the label schema, edited in a form without JSON, with an item beside it as the bench would show it.

The form is a script over the API (preview, publish); without script the page is a read-only table.
"""

from __future__ import annotations

import json
from typing import Any, ClassVar

from django.http import HttpRequest, HttpResponse
from django.urls import path, reverse
from django.utils.translation import get_language

from annotator.core.errors import NotFound
from annotator.models import SchemaVersion
from annotator.pages.base import Page
from annotator.queries import schema_page
from annotator.queries.items import ItemFilter, list_items
from annotator.queries.versions import parsed
from annotator.shapes import SHAPES

SAMPLES = 12


def title_in(title: Any, language: str) -> str:
    """A title of the schema in the reader's language, else in English, else in whatever there is."""
    if isinstance(title, str):
        return title
    if not isinstance(title, dict) or not title:
        return ""
    return str(title.get(language.partition("-")[0]) or title.get("en") or next(iter(title.values())))


class SchemaPage(Page):
    """The schema in force and its form."""

    actions: ClassVar[dict[str, str]] = {"GET": "schema.publish"}

    def get(self, request: HttpRequest, project: str) -> HttpResponse:
        """The page."""
        assert self.project
        language = get_language() or "en"
        current = (
            SchemaVersion.objects.filter(pk=self.project.schema_id).first()
            if self.project.schema_id
            else None
        )
        document: Any = current.document if current else {
            "format": 1, "title": self.project.title, "controls": [], "labels": [], "constraints": [],
            "guideline": {"version": 1, "text": ""},
        }  # fmt: skip
        effective = parsed(current).effective if current else document
        samples = []
        if self.may("items.list"):
            rows, _next = list_items(self.project, ItemFilter(), sort="newest", limit=SAMPLES)
            samples = [{"key": row["key"], "assets": row["assets"]} for row in rows]
        base = reverse("api-schema-versions", args=[self.project.public_id])
        labels = [
            {**label, "shown": title_in(label["title"], language),
             "attribute_names": [title_in(a["title"], language) for a in label["attributes"]]}
            for label in effective["labels"]
        ]  # fmt: skip
        controls = [{**c, "shown": title_in(c["title"], language)} for c in effective["controls"]]
        return self.show(
            "schema.html", labels=labels, controls=controls, version=current,
            guideline=title_in(effective["guideline"]["text"], language),
            versions=schema_page.versions(self.project),
            boot={
                "document": document, "version": current.number if current else 0, "publish": base,
                "preview": f"{base}/preview", "job": "/api/jobs/", "samples": samples,
                "shapes": [name for name in SHAPES.names()], "language": language,
            },
        )  # fmt: skip


class SchemaFile(Page):
    """One version as a JSON file."""

    actions: ClassVar[dict[str, str]] = {"GET": "schema.publish"}

    def get(self, request: HttpRequest, project: str, number: int) -> HttpResponse:
        """The document, as it was given."""
        found = SchemaVersion.objects.filter(project=self.project, number=number).first()
        if found is None:
            raise NotFound()
        return HttpResponse(
            json.dumps(found.document, ensure_ascii=False, indent=2),
            content_type="application/json; charset=utf-8",
            headers={"Content-Disposition": f'attachment; filename="schema-{number}.json"'},
        )


urlpatterns = [
    path("p/<str:project>/schema", SchemaPage.as_view(), name="schema"),
    path("p/<str:project>/schema/<int:number>.json", SchemaFile.as_view(), name="schema-file"),
]
