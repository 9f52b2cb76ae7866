"""Causes that follow from who a device is to us: its name, its state, its operator."""

from audit.catalogue.cause import Cause

CAUSES = (
    Cause(
        code="ENDPOINT_UNKNOWN",
        area="access",
        severity="warning",
        mended_by="subscriber",
        subscriber="A device with this name has not been added yet.",
        support="A device knocked whose endpoint name nobody has added.",
        engineer="The ep parameter matches no device on this server.",
        action="Add the device under exactly this endpoint name; its next attempt will then succeed.",
    ),
    Cause(
        code="ENDPOINT_TAKEN",
        area="access",
        severity="error",
        mended_by="staff",
        subscriber="A device with this name has already been added, perhaps by somebody else.",
        support=(
            "The endpoint name belongs to a device that exists already; its owner is not told to the other "
            "person."
        ),
        engineer=(
            "The endpoint violates its unique constraint; endpoints are unique per server, not per operator."
        ),
        action=(
            "Check the name on the device; if it is right and the device is yours, ask your operator to "
            "release it."
        ),
    ),
    Cause(
        code="ENDPOINT_INVALID",
        area="access",
        severity="error",
        mended_by="subscriber",
        subscriber=(
            "This device name is empty, too long or contains a character that device names cannot have."
        ),
        support="The endpoint name does not have an allowed form.",
        engineer=(
            "The ep value is empty, longer than 255 characters, or has control characters or white space."
        ),
        action="Copy the endpoint name exactly as it is printed on the device or shown by its software.",
    ),
    Cause(
        code="DEVICE_SUSPENDED",
        area="access",
        severity="warning",
        mended_by="staff",
        subscriber="Your device is paused by your operator, so it cannot come online now.",
        support="The device is suspended; the reason stands with the suspension in its timeline.",
        engineer="The device's access state is suspended, so its requests are refused.",
        action="Resume the device when the reason for the suspension is gone.",
    ),
    Cause(
        code="DEVICE_BARRED",
        area="access",
        severity="error",
        mended_by="staff",
        subscriber="Your operator has blocked this device.",
        support="The device is barred, for example as stolen or misused; its timeline says by whom and why.",
        engineer="The device's access state is barred, so its handshakes and requests are refused.",
        action="Only the operator's administrator can lift the block, after checking why it was set.",
    ),
    Cause(
        code="DEVICE_RETIRED",
        area="access",
        severity="warning",
        mended_by="subscriber",
        subscriber="This device was removed from the portal, but it still tries to connect.",
        support="The device was retired and is still switched on somewhere.",
        engineer="The device's access state is retired; its credentials no longer open anything.",
        action="Switch the device off, or add it again if it is to be used.",
    ),
    Cause(
        code="OPERATOR_INACTIVE",
        area="access",
        severity="error",
        mended_by="staff",
        subscriber="Your operator's service is switched off at the moment.",
        support="The whole operator is inactive, so none of its devices is served.",
        engineer="The device's operator has is_active off.",
        action=(
            "The administrator of the portal can activate the operator; devices then return by themselves."
        ),
    ),
)
