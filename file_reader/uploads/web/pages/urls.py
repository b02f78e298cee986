"""The addresses of the pages."""

from django.contrib.auth.views import LogoutView
from django.urls import path
from django.views.decorators.http import require_POST
from django.views.i18n import set_language

from uploads.web.pages import home, keys, upload
from uploads.web.pages.signing_in import SignIn

urlpatterns = [
    path("", home.home, name="page-home"),
    path("preview/", home.preview, name="page-preview"),
    path("example.csv", home.example, name="page-example"),
    path("uploads/<uuid:public_id>/", upload.show, name="page-upload"),
    path("uploads/<uuid:public_id>/cancel/", upload.cancel, name="page-upload-cancel"),
    path("uploads/<uuid:public_id>/delete/", upload.delete, name="page-upload-delete"),
    path("uploads/<uuid:public_id>/pause/", upload.pause, name="page-upload-pause"),
    path("uploads/<uuid:public_id>/resume/", upload.resume, name="page-upload-resume"),
    path("uploads/<uuid:public_id>/retry/", upload.retry, name="page-upload-retry"),
    path("keys/", keys.keys, name="page-keys"),
    path("keys/<int:key_id>/delete/", keys.delete, name="page-key-delete"),
    path("language/", require_POST(set_language), name="page-language"),
    path("login/", SignIn.as_view(), name="page-login"),
    path("logout/", LogoutView.as_view(next_page="/"), name="page-logout"),
]
