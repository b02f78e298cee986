"""The page of one's API keys: see, make, delete."""

from typing import cast

from django import forms
from django.contrib.auth.models import User
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext_lazy as lazy
from django.views.decorators.http import require_http_methods

from uploads.api_keys import USUAL_SCOPES, delete_key, make_key
from uploads.models import ApiKey
from uploads.web.pages.callers import owner_of, signed_in


class KeyForm(forms.Form):
    """What a key is for."""

    name = forms.CharField(max_length=100, error_messages={"required": lazy("Say what will use the key.")})


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def keys(request: HttpRequest) -> HttpResponseBase:
    """`POST` makes a key, and shows it this once: nothing but its hash is kept."""
    if owner_of(request) is None:
        raise Http404
    form = KeyForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        key, text = make_key(cast(User, request.user), name=form.cleaned_data["name"], scopes=USUAL_SCOPES)
        return _page(request, KeyForm(), made=key, text=text)
    return _page(request, form, status=400 if form.is_bound else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def delete(request: HttpRequest, key_id: int) -> HttpResponseBase:
    """Asks, then deletes."""
    key = get_object_or_404(ApiKey, pk=key_id, user_id=owner_of(request))
    if request.method == "POST":
        delete_key(key)
        return HttpResponseRedirect(reverse("page-keys"), status=303)
    return render(request, "pages/delete_key.html", {"here": "keys", "key": key})


def _page(
    request: HttpRequest, form: KeyForm, *, made: ApiKey | None = None, text: str = "", status: int = 200
) -> HttpResponse:
    own = ApiKey.objects.filter(user=cast(User, request.user)).order_by("-id")
    context = {
        "here": "keys",
        "keys": own,
        "form": form,
        "made": made,
        "text": text,
        "address": request.build_absolute_uri("/"),
    }
    return render(request, "pages/keys.html", context, status=status)
