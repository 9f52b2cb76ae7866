"""Django's handle on the accounts room."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class AccountsConfig(AppConfig):
    name = "accounts"
    verbose_name = _("People and operators")

    def ready(self) -> None:
        from accounts import erasing, folding, groups, receivers  # models are there only now
        from accounts.services import erasure

        folding.connect()
        erasing.register("accounts", erasure.erase)

        post_migrate.connect(groups.after_migrate, sender=self, dispatch_uid="accounts.groups")
        receivers.connect()
