"""Resource: jobs of a project: read, cancel, the rejects of an import."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.http import StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.urls import path
from rest_framework.request import Request
from rest_framework.response import Response

from annotator import blobs, jobs
from annotator.api.base import Door, take
from annotator.core.errors import NotFound
from annotator.models import Job
from annotator.queries.jobs import find_job, job_body, list_jobs, sees


class Jobs(Door):
    """GET: the newest jobs of a project (an importer: own ones)."""

    actions = {"GET": "jobs.read"}

    def get(self, request: Request, project: str) -> Response:
        return Response({"results": list_jobs(self.project, self.member, self.limit())})


class JobDoor(Door):
    """Views of one job. A job that the caller may not see looks like none."""

    job: Job

    def locate(self, **kwargs: Any) -> str | None:
        self.job = find_job(kwargs["job"])
        assert self.job.project is not None
        return self.job.project.public_id

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if not sees(self.member, self.job):
            raise NotFound()


class JobOne(JobDoor):
    """GET: state, progress, result."""

    actions = {"GET": "jobs.read"}

    def get(self, request: Request, job: str) -> Response:
        return Response(job_body(self.job))


class JobCancel(JobDoor):
    """POST: a waiting job ends at once, a running one at its next step; a finished one stays as it is."""

    actions = {"POST": "jobs.cancel"}

    def post(self, request: Request, job: str) -> Response:
        take(self.body(), {})
        return Response(job_body(jobs.cancel(actor=self.actor, job=self.job, request=self.request_id)))


class JobRejects(JobDoor):
    """GET: the rejected rows of an import as JSON lines, each with its reason; may be imported again."""

    actions = {"GET": "jobs.read"}

    def get(self, request: Request, job: str) -> HttpResponseBase:
        digest = (self.job.result or {}).get("rejects")
        if self.job.kind != "import" or not digest or not blobs.exists(digest):
            raise NotFound()
        return StreamingHttpResponse(
            _pieces(digest),
            content_type="application/x-ndjson; charset=utf-8",
            headers={
                "Content-Length": str(blobs.path(digest).stat().st_size),
                "Content-Disposition": f'attachment; filename="rejects-{self.job.public_id}.jsonl"',
                "X-Content-Type-Options": "nosniff",
                "Content-Security-Policy": "sandbox; default-src 'none'",
            },
        )


def _pieces(digest: str) -> Iterator[bytes]:
    with blobs.open_blob(digest) as file:
        while piece := file.read(1 << 18):
            yield piece


urlpatterns = [
    path("projects/<str:project>/jobs", Jobs.as_view(), name="api-jobs"),
    path("jobs/<str:job>", JobOne.as_view(), name="api-job"),
    path("jobs/<str:job>/cancel", JobCancel.as_view(), name="api-job-cancel"),
    path("jobs/<str:job>/rejects", JobRejects.as_view(), name="api-job-rejects"),
]
