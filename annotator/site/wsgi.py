"""The HTTP application that the server's thread pool runs."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "annotator.site.settings")

from django.core.wsgi import get_wsgi_application  # noqa: E402

application = get_wsgi_application()
