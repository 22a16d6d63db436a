"""Save a rule and run it, here and now: `manage.py run_rule PROJECT blob.v1 --as NAME [--set level=90]
[--params JSON]`."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from annotator import access
from annotator.core.errors import ConcordError
from prelabel.actions.run_rule import run_rule
from prelabel.actions.save_rule import save_rule
from prelabel.management.commands.train_model import account, finish, project_of
from prelabel.models import RuleVersion


class Command(BaseCommand):
    """A rule over the tasks that wait."""

    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("project", help="Public id of the project.")
        parser.add_argument("rule", help="Id of the rule, such as blob.v1.")
        parser.add_argument("--as", dest="username", required=True, help="A lead of the project.")
        parser.add_argument("--name", default="", help="Name of the rule in the project.")
        parser.add_argument("--params", default="{}", help="Parameters as a JSON object.")
        parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="One parameter.")
        parser.add_argument("--queue", action="store_true", help="Leave the work to the worker.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Prints what was written, dropped and skipped."""
        try:
            actor = account(options["username"])
            project, member = project_of(actor, options["project"])
            access.require(actor, "rules.run", member)
            params = json.loads(options["params"])
            for pair in options["set"]:
                name, _equals, value = pair.partition("=")
                try:
                    params[name] = json.loads(value)
                except ValueError:
                    params[name] = value
            saved = save_rule(
                actor=actor, project=project, rule=options["rule"], params=params, name=options["name"]
            )
            rule = RuleVersion.objects.select_related("project").get(public_id=saved["id"])
            answer = run_rule(actor=actor, rule=rule)
        except (ConcordError, ValueError) as error:
            raise CommandError(str(error)) from error
        finish(self, answer["job"], "io", options["queue"])
