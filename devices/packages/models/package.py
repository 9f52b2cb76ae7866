"""What an operator keeps for devices to fetch. Its bytes stand in rows of 64 KiB: every process serves them."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import Operator


class Package(models.Model):
    """Never changed: another content is another package. `token` is the part of its address that nobody can guess."""

    operator = models.ForeignKey(Operator, on_delete=models.CASCADE, verbose_name=_("operator"))
    name = models.CharField(_("name"), max_length=120, help_text=_("what staff call it, such as Meter 1.4.2"))
    file = models.CharField(_("file"), max_length=200, help_text=_("name of the file it came in"))
    size = models.PositiveIntegerField(_("size"), help_text=_("in bytes"))
    sha256 = models.CharField("SHA-256", max_length=64)
    token = models.CharField(_("token"), max_length=32, unique=True, editable=False)
    uploaded_at = models.DateTimeField(_("uploaded at"))
    fetches = models.PositiveIntegerField(
        _("fetched"), default=0, help_text=_("times by devices, to the end")
    )
    fetched_at = models.DateTimeField(_("last fetched at"), null=True, blank=True)

    class Meta:
        verbose_name = _("package")
        verbose_name_plural = _("packages")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["operator", "sha256"], name="package_once_per_operator"),
        ]

    def __str__(self) -> str:
        return self.name


class PackagePart(models.Model):
    """Bytes from `number` × `services.packages.PART_BYTES` on."""

    package = models.ForeignKey(
        Package, on_delete=models.CASCADE, related_name="parts", verbose_name=_("package")
    )
    number = models.PositiveIntegerField(_("number"))
    content = models.BinaryField(_("content"))

    class Meta:
        verbose_name = _("package part")
        verbose_name_plural = _("package parts")
        constraints = [models.UniqueConstraint(fields=["package", "number"], name="package_part_once")]
