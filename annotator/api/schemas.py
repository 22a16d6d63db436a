"""Resource: schema versions of a project; publication and its preview."""

from __future__ import annotations

from typing import Any

from django.urls import path
from rest_framework.request import Request
from rest_framework.response import Response

from annotator.actions.publish_schema import migrate_again, publish_schema
from annotator.api.base import Door, take
from annotator.core.errors import NotFound
from annotator.models import SchemaVersion
from annotator.queries import schema_page

BODY: dict[str, Any] = {"document": dict, "mapping": dict, "if_version": int}


class SchemaVersions(Door):
    """GET: all versions, newest first. POST {document, mapping?, if_version?}: publish."""

    actions = {"GET": "schema.read", "POST": "schema.publish"}

    def get(self, request: Request, project: str) -> Response:
        return Response({"results": schema_page.versions(self.project)})

    def post(self, request: Request, project: str) -> Response:
        body = take(self.body(), BODY, ("document",))
        answer = publish_schema(
            actor=self.actor,
            project=self.project,
            document=body["document"],
            mapping=body.get("mapping"),
            if_version=body.get("if_version"),
            idem=self.idem(body),
            request=self.request_id,
        )
        return Response(answer, status=201)


class SchemaPreview(Door):
    """POST {document, mapping?}: {diff, counts, refused}; writes nothing."""

    actions = {"POST": "schema.publish"}

    def post(self, request: Request, project: str) -> Response:
        body = take(self.body(), BODY, ("document",))
        return Response(schema_page.preview(self.project, body["document"], body.get("mapping")))


class SchemaMigration(Door):
    """POST: carry accepted documents over that an open lot had frozen. 202 {job}."""

    actions = {"POST": "schema.publish"}

    def post(self, request: Request, project: str) -> Response:
        body = take(self.body(), {})
        return Response(
            migrate_again(
                actor=self.actor, project=self.project, idem=self.idem(body), request=self.request_id
            ),
            status=202,
        )


class SchemaOne(Door):
    """GET one version with its document; `current` is the one in force."""

    actions = {"GET": "schema.read"}

    def get(self, request: Request, project: str, version: str) -> Response:
        rows = SchemaVersion.objects.filter(project=self.project)
        found = (
            rows.filter(pk=self.project.schema_id).first()
            if version == "current"
            else (
                rows.filter(number=int(version)).first()
                if version.isdecimal() and len(version) < 9
                else rows.filter(public_id=version).first()
            )
        )
        if found is None:
            raise NotFound()
        return Response(
            {
                "id": found.public_id,
                "version": found.number,
                "digest": found.digest,
                "mapping": found.mapping,
                "document": found.document,
                "in_force": found.pk == self.project.schema_id,
            }
        )


urlpatterns = [
    path("projects/<str:project>/schema-versions", SchemaVersions.as_view(), name="api-schema-versions"),
    path(
        "projects/<str:project>/schema-versions/preview", SchemaPreview.as_view(), name="api-schema-preview"
    ),
    path(
        "projects/<str:project>/schema-versions/migrate", SchemaMigration.as_view(), name="api-schema-migrate"
    ),
    path(
        "projects/<str:project>/schema-versions/<str:version>", SchemaOne.as_view(), name="api-schema-version"
    ),
]
