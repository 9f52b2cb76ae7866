"""The southbound processes that hold the sockets devices are heard on."""

from __future__ import annotations

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class SouthboundProcess(models.Model):
    """A running southbound process and its channel; a row whose heartbeat is old is a dead process."""

    flow = models.CharField(_("flow"), max_length=80, primary_key=True)
    number = models.PositiveSmallIntegerField(
        _("number"), help_text=_("first byte of its DTLS connection ids")
    )
    pid = models.IntegerField(_("pid"))
    host = models.CharField(_("host"), max_length=120)
    started_at = models.DateTimeField(_("started at"), default=timezone.now)
    heartbeat_at = models.DateTimeField(_("heartbeat at"), default=timezone.now)

    class Meta:
        verbose_name = _("southbound process")
        verbose_name_plural = _("southbound processs")

    def __str__(self) -> str:
        return f"{self.host}:{self.pid}"
