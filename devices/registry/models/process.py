"""The southbound processes that hold the sockets devices are heard on."""

from __future__ import annotations

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class SouthboundProcess(models.Model):
    """A running southbound process and its channel; a row whose heartbeat is old is a dead process."""

    flow = models.CharField(max_length=80, primary_key=True)
    number = models.PositiveSmallIntegerField(help_text=_("first byte of its DTLS connection ids"))
    pid = models.IntegerField()
    host = models.CharField(max_length=120)
    started_at = models.DateTimeField(default=timezone.now)
    heartbeat_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"{self.host}:{self.pid}"
