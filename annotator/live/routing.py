"""Sockets by path."""

from django.urls import path

from annotator.live.project import ProjectSocket

websocket_urlpatterns = [path("ws/projects/<str:project>", ProjectSocket.as_asgi())]
