"""What a member keeps for own use: named views of the list of items."""

from __future__ import annotations

from django.db import models

from annotator.models.project import Member


class SavedView(models.Model):
    """A named filter and sort of one member. Seen and changed by that member only."""

    member = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="saved_views")
    name = models.CharField(max_length=100)
    filter = models.JSONField(default=dict)
    sort = models.CharField(max_length=16, default="order")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["member", "name"], name="saved_view_once")]
