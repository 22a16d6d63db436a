"""The lead's live view of a project: small frames that say which event came; content is fetched by HTTP.

Only actions `project.progress` may listen; rights are checked again at each frame, so that a lost
role goes silent at once. Frames: {"seq", "verbs": [...]}; input is ignored and bounded.
"""

from __future__ import annotations

import json
from importlib import import_module
from typing import Any

from asgiref.sync import sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from django.conf import settings
from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY
from django.utils.crypto import constant_time_compare

from annotator import access
from annotator.core.errors import ConcordError
from annotator.models import Account


class ProjectSocket(AsyncWebsocketConsumer):
    """One reader of one project."""

    project = ""

    def _allowed(self) -> bool:
        # Read anew each time: a session ends by signing out, and by a changed password.
        kept = self.scope.get("session")  # a lazy object: its class is not the store's
        key = kept.session_key if kept is not None else None
        session = import_module(settings.SESSION_ENGINE).SessionStore(key).load() if key else {}
        account_id = session.get(SESSION_KEY)
        actor = Account.objects.filter(pk=account_id, is_active=True).first() if account_id else None
        if actor is not None and not constant_time_compare(
            session.get(HASH_SESSION_KEY, ""), actor.get_session_auth_hash()
        ):
            actor = None
        try:
            _, member = access.membership(actor, self.project)
        except ConcordError:
            return False
        return access.may(actor, "project.progress", member)

    async def connect(self) -> None:
        """Refused at the handshake for everybody without the right."""
        self.project = self.scope["url_route"]["kwargs"]["project"]
        if not await sync_to_async(self._allowed)():
            await self.close(code=4404)
            return
        await self.channel_layer.group_add(f"project.{self.project}", self.channel_name)
        await self.accept()

    async def disconnect(self, code: int) -> None:
        """Leave the group."""
        await self.channel_layer.group_discard(f"project.{self.project}", self.channel_name)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """Clients have nothing to say here."""
        await self.send(
            text_data=json.dumps({"error": {"code": "read_only", "message": "This socket only tells."}})
        )

    async def news(self, message: dict[str, Any]) -> None:
        """A frame from the tail."""
        if not await sync_to_async(self._allowed)():
            await self.close(code=4403)
            return
        await self.send(text_data=json.dumps({"seq": message["seq"], "verbs": message["verbs"]}))
