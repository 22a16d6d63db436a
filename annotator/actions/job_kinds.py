"""The foundation's own kinds of jobs. Handlers are imported when they run."""

from __future__ import annotations

from typing import Any

from annotator import jobs
from annotator.models import Job


def _import(ticket: jobs.Ticket) -> dict[str, Any] | None:
    from annotator.actions.import_rows import run

    return run(ticket)


def _check_assets(ticket: jobs.Ticket) -> dict[str, Any] | None:
    from annotator.actions.check_assets import run

    return run(ticket)


def _bulk(ticket: jobs.Ticket) -> dict[str, Any] | None:
    from annotator.actions.bulk_items import run

    return run(ticket)


def _release(ticket: jobs.Ticket) -> dict[str, Any] | None:
    from annotator.actions.publish_release import run

    return run(ticket)


def _give_up_release(job: Job) -> None:
    from annotator.actions.publish_release import give_up

    give_up(job)


def _migrate(ticket: jobs.Ticket) -> dict[str, Any] | None:
    from annotator.actions.migrate_labels import run

    return run(ticket)


def _delete_project(ticket: jobs.Ticket) -> dict[str, Any] | None:
    from annotator.actions.projects import remove_content

    return remove_content(ticket)


def register() -> None:
    """Make the kinds known."""
    jobs.register("import", "io", _import)
    jobs.register("check_assets", "io", _check_assets)
    jobs.register("bulk", "io", _bulk)
    jobs.register("release", "io", _release, undo=_give_up_release)
    jobs.register("migrate_labels", "io", _migrate)
    jobs.register("delete_project", "io", _delete_project)
