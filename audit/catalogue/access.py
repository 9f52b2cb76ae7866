"""Causes that follow from who a device is to us: its name, its state, its operator."""

from django.utils.translation import gettext_lazy as _

from audit.catalogue.cause import Cause

CAUSES = (
    Cause(
        code="ENDPOINT_UNKNOWN",
        area="access",
        severity="warning",
        mended_by="subscriber",
        subscriber=_("A device with this name has not been added yet."),
        support=_("A device knocked whose endpoint name nobody has added."),
        engineer=_("The ep parameter matches no device on this server."),
        action=_("Add the device under exactly this endpoint name; its next attempt will then succeed."),
    ),
    Cause(
        code="ENDPOINT_TAKEN",
        area="access",
        severity="error",
        mended_by="staff",
        subscriber=_("A device with this name has already been added, perhaps by somebody else."),
        support=(
            _(
                "The endpoint name belongs to a device that exists already; its owner is not told to the other "
                "person."
            )
        ),
        engineer=(
            _(
                "The endpoint violates its unique constraint; endpoints are unique per server, not per operator."
            )
        ),
        action=(
            _(
                "Check the name on the device; if it is right and the device is yours, ask your operator to "
                "release it."
            )
        ),
    ),
    Cause(
        code="ENDPOINT_INVALID",
        area="access",
        severity="error",
        mended_by="subscriber",
        subscriber=(
            _("This device name is empty, too long or contains a character that device names cannot have.")
        ),
        support=_("The endpoint name does not have an allowed form."),
        engineer=(
            _("The ep value is empty, longer than 255 characters, or has control characters or white space.")
        ),
        action=_("Copy the endpoint name exactly as it is printed on the device or shown by its software."),
    ),
    Cause(
        code="DEVICE_SUSPENDED",
        area="access",
        severity="warning",
        mended_by="staff",
        subscriber=_("Your device is paused by your operator, so it cannot come online now."),
        support=_("The device is suspended; the reason stands with the suspension in its timeline."),
        engineer=_("The device's access state is suspended, so its requests are refused."),
        action=_("Resume the device when the reason for the suspension is gone."),
    ),
    Cause(
        code="DEVICE_BARRED",
        area="access",
        severity="error",
        mended_by="staff",
        subscriber=_("Your operator has blocked this device."),
        support=_(
            "The device is barred, for example as stolen or misused; its timeline says by whom and why."
        ),
        engineer=_("The device's access state is barred, so its handshakes and requests are refused."),
        action=_("Only the operator's administrator can lift the block, after checking why it was set."),
    ),
    Cause(
        code="DEVICE_RETIRED",
        area="access",
        severity="warning",
        mended_by="subscriber",
        subscriber=_("This device was removed from the portal, but it still tries to connect."),
        support=_("The device was retired and is still switched on somewhere."),
        engineer=_("The device's access state is retired; its credentials no longer open anything."),
        action=_("Switch the device off, or add it again if it is to be used."),
    ),
    Cause(
        code="OPERATOR_INACTIVE",
        area="access",
        severity="error",
        mended_by="staff",
        subscriber=_("Your operator's service is switched off at the moment."),
        support=_("The whole operator is inactive, so none of its devices is served."),
        engineer=_("The device's operator has is_active off."),
        action=(
            _("The administrator of the portal can activate the operator; devices then return by themselves.")
        ),
    ),
)
