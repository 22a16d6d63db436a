"""All routes of the site: the one place, beside settings, that names all three wings."""

from django.urls import include, path

from annotator.api.health import Health

urlpatterns = [
    path("healthz", Health.as_view()),
    path("api/", include("annotator.api.urls")),
    path("api/", include("review.api.urls")),
    path("api/", include("prelabel.api.urls")),
    path("", include("annotator.pages.urls")),
    path("", include("review.pages.urls")),
    path("", include("prelabel.pages.urls")),
]
handler404 = "annotator.pages.errors.not_found"
handler500 = "annotator.pages.errors.server_error"
