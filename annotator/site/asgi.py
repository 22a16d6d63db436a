"""The server process: HTTP through a fixed thread pool with kept connections, sockets beside it.

Django's own ASGI handler opens a database connection a request; the same application behind a
fixed pool of threads, each with its kept connection, answers in half the time (docs/decisions).
"""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "annotator.site.settings")

from django.core.wsgi import get_wsgi_application  # noqa: E402

_django = get_wsgi_application()

from a2wsgi import WSGIMiddleware  # noqa: E402
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from channels.security.websocket import AllowedHostsOriginValidator  # noqa: E402
from channels.sessions import SessionMiddlewareStack  # noqa: E402
from django.conf import settings  # noqa: E402
from servestatic import ServeStaticASGI  # noqa: E402

from annotator.live.routing import websocket_urlpatterns  # noqa: E402
from annotator.live.tail import Lifespan  # noqa: E402

_http = WSGIMiddleware(_django, workers=settings.HTTP_THREADS)
# Files with a digest in their name are immutable; nothing under static/ is private.
_static = ServeStaticASGI(
    _http, root=str(settings.STATIC_ROOT), prefix="static/", autorefresh=False, max_age=3600
)


async def _web(scope, receive, send):  # type: ignore[no-untyped-def]
    await (_static if scope["path"].startswith("/static/") else _http)(scope, receive, send)


application = ProtocolTypeRouter(
    {
        "http": _web,
        "websocket": AllowedHostsOriginValidator(SessionMiddlewareStack(URLRouter(websocket_urlpatterns))),
        "lifespan": Lifespan(),
    }
)
