"""Addresses: pages, API, and Django's own admin."""

from django.contrib import admin
from django.urls import include, path

from backups_app.metrics.health import PROBES
from backups_app.metrics.views import metrics

handler400 = "templeops.failures.bad_request"
handler403 = "templeops.failures.forbidden"
handler404 = "templeops.failures.not_found"
handler500 = "templeops.failures.server_error"

urlpatterns = [
    path("api/", include("backups_app.api.urls")),
    path("django-admin/", admin.site.urls),
    path("metrics", metrics, name="metrics"),
    *(path(address.removeprefix("/"), view) for address, view in PROBES.items()),
    path("", include("backups_app.pages.urls")),
]
