"""Objects that operators loaded beside the shipped ones."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Operator


class ObjectDefinition(models.Model):
    """An object that an operator loaded beside the shipped ones; without an operator it is for all of them."""

    operator = models.ForeignKey(
        Operator, on_delete=models.CASCADE, null=True, blank=True, verbose_name=_("operator")
    )
    object_id = models.PositiveIntegerField(_("object id"))
    version = models.CharField(_("version"), max_length=12)
    name = models.CharField(_("name"), max_length=200)
    definition = models.JSONField(_("definition"), help_text=_("as lwm2m.objects.to_json writes it"))
    source = models.CharField(_("source"), max_length=200, help_text=_("name of the file it came in"))
    loaded_at = models.DateTimeField(_("loaded at"), default=timezone.now)

    class Meta:
        verbose_name = _("object definition")
        verbose_name_plural = _("object definitions")
        ordering = ["object_id", "version"]
        constraints = [
            models.UniqueConstraint(
                fields=["operator", "object_id", "version"], name="object_version_once_per_operator"
            ),
            models.UniqueConstraint(
                fields=["object_id", "version"],
                condition=Q(operator=None),
                name="object_version_once_for_all",
            ),
        ]

    def __str__(self) -> str:
        return f"/{self.object_id} {self.version} {self.name}"
