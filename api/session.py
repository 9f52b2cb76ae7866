"""How a device's session looks in JSON: of the device itself and of its registration."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from devices.registry.selectors import sessions


class SessionSerializer(serializers.Serializer):
    """The session told from the registration and the time."""

    state = serializers.ChoiceField(choices=sessions.Session.choices)
    words = serializers.CharField(help_text=_('For people, such as "asleep until about 14:20".'))
    since = serializers.DateTimeField(allow_null=True, help_text=_("Since when it is lost or signed off."))
    cause = serializers.CharField(
        help_text=_("Such as GATEWAY_OFFLINE; empty where nothing is to be mended.")
    )
    lifetime_left_seconds = serializers.IntegerField(
        source="left_seconds", allow_null=True, help_text=_("Null where the lifetime is over or has no end.")
    )
