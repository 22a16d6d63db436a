"""Train a model, here and now: `manage.py train_model PROJECT boxes|masks|text_class --as NAME [--control C]
[--run]`."""

from __future__ import annotations

import json
import os
import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from annotator import access, jobs
from annotator.core.errors import ConcordError
from annotator.models import Account, Job, Member, Project
from prelabel.actions.train_model import run_model, train_model
from prelabel.core.kinds import KINDS
from prelabel.models import ModelVersion

WAIT_S = 3600


def account(username: str) -> Account:
    """The account that the work is done for. Raises CommandError."""
    found = Account.objects.filter(username=username, is_active=True).first()
    if found is None:
        raise CommandError(f"there is no account {username}")
    return found


def project_of(actor: Account, project_id: str) -> tuple[Project, Member]:
    """The project and the account's membership; a stranger's project does not exist."""
    return access.membership(actor, project_id)


def finish(command: BaseCommand, job_id: str, lane: str, queue: bool) -> None:
    """Runs the job in this process (or waits for the worker that has it) and prints its result."""
    if queue:
        command.stdout.write(job_id)
        return
    end = time.monotonic() + WAIT_S
    while time.monotonic() < end:
        job = Job.objects.get(public_id=job_id)
        if job.state in ("done", "failed", "cancelled"):
            break
        ticket = jobs.take(lane)
        if ticket is not None:
            jobs.run(ticket)
        else:
            time.sleep(0.5)
    job = Job.objects.get(public_id=job_id)
    command.stdout.write(
        json.dumps(job.result or job.error or {"state": job.state}, ensure_ascii=False, indent=2)
    )
    if job.state != "done":
        raise CommandError(f"the job ended as {job.state}")


class Command(BaseCommand):
    """Training from accepted documents."""

    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("project", help="Public id of the project.")
        parser.add_argument("kind", choices=KINDS)
        parser.add_argument("--as", dest="username", required=True, help="A lead of the project.")
        parser.add_argument("--control", help="The choice that a text model answers.")
        parser.add_argument("--minimum", type=int, help="Train with fewer accepted items than advised.")
        parser.add_argument("--steps", type=int, help="Training steps; chosen by the data unless given.")
        parser.add_argument(
            "--run", action="store_true", help="Let the model prelabel at once when it is ready."
        )
        parser.add_argument("--queue", action="store_true", help="Leave the work to the worker.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Prints the score with n, or the reason of a refusal."""
        os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
        try:
            actor = account(options["username"])
            project, member = project_of(actor, options["project"])
            access.require(actor, "models.train", member)
            answer = train_model(
                actor=actor,
                project=project,
                kind=options["kind"],
                control=options["control"],
                minimum=options["minimum"],
                steps=options["steps"],
            )
            finish(self, answer["job"], "model", options["queue"])
            model = ModelVersion.objects.select_related("project").get(public_id=answer["model"])
            if options["run"] and not options["queue"]:
                finish(self, run_model(actor=actor, model=model)["job"], "model", False)
        except ConcordError as error:
            raise CommandError(str(error)) from error
