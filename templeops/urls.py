"""Addresses: pages, API, and Django's own admin."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("api/", include("backups_app.api.urls")),
    path("django-admin/", admin.site.urls),
    path("", include("backups_app.pages.urls")),
]
