"""The local mailbox page; routed only on the embedded default."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path

from m2m_portal import local_mail


def mailbox(request: HttpRequest) -> HttpResponse:
    return render(request, "local_mail/list.html", {"mails": local_mail.newest()})


def message(request: HttpRequest, name: str) -> HttpResponse:
    mail = local_mail.read(name)
    if mail is None:
        raise Http404("This mail is gone.")
    return render(request, "local_mail/mail.html", {"mail": mail})


urlpatterns = [
    path("", mailbox, name="local-mail"),
    path("<str:name>/", message, name="local-mail-message"),
]
