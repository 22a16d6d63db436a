"""Collect the strings of all wings into annotator/locale, compile them, say what is not translated."""

from __future__ import annotations

import sys
from typing import Any

from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po, write_po
from django.core.management.base import BaseCommand, CommandParser

from annotator.catalogue import LOCALE, compile_all
from annotator.extraction import Messages, collect

LANGUAGES = ("zh_Hans",)
HEADER = "# Concord: one catalogue for all wings and the workbench; `concord messages` keeps it in step.\n"


def update(language: str, domain: str, messages: Messages) -> tuple[int, list[str]]:
    """Rewrite one .po: new ids in, unused out, translations kept. Returns (ids, those not translated)."""
    path = LOCALE / language / "LC_MESSAGES" / f"{domain}.po"
    path.parent.mkdir(parents=True, exist_ok=True)
    old = Catalog(locale=language)
    if path.exists():
        with open(path, "rb") as file:
            old = read_po(file, locale=language)
    new = Catalog(
        locale=language, domain=domain, header_comment=HEADER.rstrip("\n"), project="Concord", fuzzy=False
    )
    missing = []
    for msgid, found in sorted(messages.items()):
        if not (found.server if domain == "django" else found.script):
            continue
        known = old.get(msgid)
        text: Any = known.string if known is not None and "fuzzy" not in known.flags else ""
        first = text[0] if isinstance(text, tuple | list) else text
        # Babel writes a place without a line, but its types do not know it.
        places: Any = [(p, None) for p in sorted(found.places)]
        if found.plural is not None:
            new.add((msgid, found.plural), (first,) * new.num_plurals, locations=places)
        else:
            new.add(msgid, first, locations=places)
        if not first:
            missing.append(msgid)
    # The dates that the header would carry change with every run and say nothing.
    new.mime_headers = [
        (k, v) for k, v in new.mime_headers if k not in ("POT-Creation-Date", "PO-Revision-Date")
    ]
    part = path.with_suffix(".po.part")
    with open(part, "wb") as file:
        write_po(file, new, width=110, include_previous=False, ignore_obsolete=True, omit_header=True)
    body = part.read_bytes()
    head = (
        HEADER + 'msgid ""\nmsgstr ""\n"Project-Id-Version: Concord\\n"\n'
        f'"Language: {language}\\n"\n"Plural-Forms: {new.plural_forms}\\n"\n'
        '"MIME-Version: 1.0\\n"\n"Content-Type: text/plain; charset=utf-8\\n"\n'
        '"Content-Transfer-Encoding: 8bit\\n"\n\n'
    )
    part.write_bytes(head.encode() + body)
    part.replace(path)
    return len(list(new)) - 1, missing


class Command(BaseCommand):
    """concord messages"""

    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        """--check"""
        parser.add_argument(
            "--check", action="store_true", help="Exit with 1 when something is not translated."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Update, compile, report."""
        messages = collect()
        missing_any = False
        for language in LANGUAGES:
            for domain in ("django", "djangojs"):
                n, missing = update(language, domain, messages)
                self.stdout.write(f"{language} {domain}: {n} strings, {len(missing)} not translated")
                for msgid in missing:
                    self.stdout.write(f"  {msgid!r}")
                missing_any |= bool(missing)
        for path in compile_all():
            self.stdout.write(str(path.relative_to(LOCALE.parent.parent)))
        if options["check"] and missing_any:
            sys.exit(1)
