"""Reads: jobs as those who may see them do."""

from __future__ import annotations

from typing import Any

from annotator.core.errors import NotFound
from annotator.core.times import iso
from annotator.models import Job, Member, Project


def job_body(job: Job) -> dict[str, Any]:
    """One job; `result` is there once it is over."""
    over = job.state in ("done", "failed", "cancelled")
    result = job.result if over and not (job.result or {}).get("cursor") else None
    return {
        "id": job.public_id,
        "kind": job.kind,
        "state": job.state,
        "progress": job.progress,
        "total": job.total,
        "message": job.message,
        "result": result,
        "error": job.error,
        "attempts": job.attempts,
        "cancel_asked": job.cancel_asked,
        "created_at": iso(job.created_at),
        "started_at": iso(job.started_at),
        "finished_at": iso(job.finished_at),
    }


def find_job(public_id: str) -> Job:
    """A project's job by its id. Raises NotFound (site-wide jobs have no page here)."""
    job = (
        Job.objects.select_related("project", "created_by")
        .filter(public_id=public_id, project__isnull=False, project__deleted_at=None)
        .first()
    )
    if job is None:
        raise NotFound()
    return job


def sees(member: Member, job: Job) -> bool:
    """A lead sees all jobs of the project, an importer the own ones."""
    return "lead" in member.roles or job.created_by_id == member.account_id


def list_jobs(project: Project, member: Member, limit: int) -> list[dict[str, Any]]:
    """The newest jobs first."""
    rows = Job.objects.filter(project=project)
    if "lead" not in member.roles:
        rows = rows.filter(created_by_id=member.account_id)
    return [job_body(job) for job in rows.order_by("-id")[:limit]]
