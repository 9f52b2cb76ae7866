"""What this room keeps of a person, and how it goes: address, name, sign-ins, tokens, sessions, traces in the admin."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from allauth.account.models import EmailAddress
from django.contrib.admin.models import LogEntry
from django.contrib.auth import SESSION_KEY
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.models import Session
from django.db.models import Model, Q, QuerySet
from knox.models import AuthToken

from accounts.erasing import Person, stub
from accounts.models import FORGOTTEN_DOMAIN, BulkJob, BulkRow, StaffMembership, Subscriber, User

PAGE = 500


def erase(person: Person) -> None:
    user = User.objects.get(pk=person.user_id)
    EmailAddress.objects.filter(user=user).delete()
    AuthToken.objects.filter(user=user).delete()
    BulkRow.objects.filter(job__requested_by=user).update(detail="")
    BulkJob.objects.filter(requested_by=user).update(reason="")
    StaffMembership.objects.filter(user=None, email__in=person.names).delete()
    _end_sessions(person)
    blank_log(Q(user=user) | about(User, [person.user_id]) | about(Subscriber, person.subscriber_ids))
    user.email = f"{stub(user.pk)}@{FORGOTTEN_DOMAIN}"
    user.name = user.time_zone = ""
    user.is_active = user.is_staff = user.is_superuser = False
    user.set_unusable_password()
    user.save()
    for subscriber in Subscriber.objects.filter(pk__in=person.subscriber_ids):
        Subscriber.objects.filter(pk=subscriber.pk).update(number=stub(subscriber.pk))


def delete(rows: QuerySet[Any]) -> None:
    """These rows, and what Django's own log of the admin says of them."""
    ids = list(rows.order_by().values_list("pk", flat=True))
    if ids:
        blank_log(about(rows.model, ids))
        rows.delete()


def about(model: type[Model], ids: Iterable[int]) -> Q:
    """Entries of that log about these rows."""
    return Q(content_type=ContentType.objects.get_for_model(model), object_id__in=list(map(str, ids)))


def blank_log(entries: Q) -> None:
    """It names what was changed, and says how."""
    LogEntry.objects.filter(entries).update(object_repr=stub("name"), change_message="")


def _end_sessions(person: Person) -> None:
    """Sessions know their person only inside; those that cannot be read are nobody's."""
    rows = Session.objects.iterator(chunk_size=PAGE)
    theirs = [row.pk for row in rows if row.get_decoded().get(SESSION_KEY) == str(person.user_id)]
    Session.objects.filter(pk__in=theirs).delete()
