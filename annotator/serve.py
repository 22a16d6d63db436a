"""The web process: uvicorn on the site's ASGI application, on a listening socket that it is handed.

The supervisor opens the socket and keeps it, so that connections wait in its queue while a dead web process
is started anew, instead of being refused. Imports Django only through the application.
"""

from __future__ import annotations

import argparse
import os
import socket
import sys
import time

BACKLOG = 2048
GRACEFUL_S = 4  # the supervisor kills after twice this


def main() -> int:
    parser = argparse.ArgumentParser(prog="annotator.serve", description=__doc__)
    parser.add_argument("--fd", type=int, required=True, help="number of an open, listening socket")
    options = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "annotator.site.settings")
    import uvicorn

    from annotator.site.asgi import application

    # socket(fileno=) asks the kernel for family and protocol; uvicorn's own --fd assumes a UNIX socket and
    # then leaves Nagle's delay on, which costs 40 ms an answer.
    listener = socket.socket(fileno=options.fd)
    config = uvicorn.Config(
        application,
        log_level=os.environ.get("CONCORD_LOG", "warning").lower(),
        access_log=False,
        backlog=BACKLOG,
        timeout_graceful_shutdown=GRACEFUL_S,
        server_header=False,
        date_header=True,
        lifespan="on",
        proxy_headers=os.environ.get("CONCORD_PRODUCTION", "") == "1",
    )
    began = time.monotonic()
    server = uvicorn.Server(config)
    server.run(sockets=[listener])
    print(f"web process ended after {time.monotonic() - began:.0f} s", file=sys.stderr)
    return 0 if server.started else 3


if __name__ == "__main__":
    sys.exit(main())
