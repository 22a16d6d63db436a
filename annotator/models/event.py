"""The event log: one hash chain a project, append-only at the model and by database triggers."""

from __future__ import annotations

from typing import Any, NoReturn

from django.conf import settings
from django.db import models


class ChainHead(models.Model):
    """The last event of a chain; locked by the verb that appends. chain: a project's public id, or "site"."""

    chain = models.CharField(max_length=32, primary_key=True)
    seq = models.BigIntegerField(default=0)
    digest = models.CharField(max_length=64, default="0" * 64)


class Event(models.Model):
    """Who did what to which object, when; ids and digests only, never names or content.

    digest = sha256 of the canonical JSON of all fields above it and `prev`.
    """

    chain = models.CharField(max_length=32)
    seq = models.BigIntegerField()
    at = models.CharField(max_length=32)  # ISO UTC with microseconds, as hashed
    actor = models.CharField(max_length=32)  # public id, or "system"
    verb = models.CharField(max_length=50)
    object = models.CharField(max_length=64)
    task = models.CharField(max_length=32, blank=True)
    data = models.JSONField(default=dict)
    request = models.CharField(max_length=64, blank=True)
    prev = models.CharField(max_length=64)
    digest = models.CharField(max_length=64)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["chain", "seq"], name="event_seq_once")]
        indexes = [models.Index(fields=["chain", "task"], name="event_task")]

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Insert only."""
        if self.pk is not None:
            raise TypeError("events are append-only")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Refused."""
        raise TypeError("events are append-only")


class NewsCursor(models.Model):
    """How far a named subscriber has read a chain."""

    name = models.CharField(max_length=50)
    chain = models.CharField(max_length=32)
    seq = models.BigIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["name", "chain"], name="news_cursor_once")]


class IdempotencyKey(models.Model):
    """The answer that a write with this key got; a repeat gets it again."""

    account = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    key = models.CharField(max_length=80)
    route = models.CharField(max_length=200)
    body_digest = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField()
    answer = models.JSONField()
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "key"], name="idempotency_once")]
