"""Causes of the registration interface: Register, Update, De-register and expiry."""

from django.utils.translation import gettext_lazy as _

from audit.catalogue.cause import Cause

CAUSES = (
    Cause(
        code="VERSION_UNSUPPORTED",
        area="registration",
        severity="error",
        mended_by="engineer",
        subscriber=_("Your device speaks a version of the management language that we do not know."),
        support=_("The device's LwM2M version is not among those this server speaks."),
        engineer=_("The lwm2m parameter is well formed but not 1.0, 1.1 or 1.2 (answered 4.12)."),
        action=(
            _(
                "Set the device's firmware to LwM2M 1.0, 1.1 or 1.2; many devices try another version themselves."
            )
        ),
    ),
    Cause(
        code="VERSION_MALFORMED",
        area="registration",
        severity="error",
        mended_by="engineer",
        subscriber=_("Your device did not say clearly which version it speaks."),
        support=_("The version in the device's registration is missing or unreadable."),
        engineer=_("The lwm2m parameter is absent or not of the form digit.digit (answered 4.00)."),
        action=_("Correct the lwm2m parameter in the device's firmware or configuration."),
    ),
    Cause(
        code="LIFETIME_INVALID",
        area="registration",
        severity="error",
        mended_by="engineer",
        subscriber=_("Your device asked to stay registered for a time that makes no sense."),
        support=_("The lifetime in the device's registration is not a number we can use."),
        engineer=_("The lt parameter is empty, not a decimal number or out of range (answered 4.00)."),
        action=_("Set resource /1/x/1 of the device to a number of seconds, for example 86400."),
    ),
    Cause(
        code="LIFETIME_EXPIRED",
        area="registration",
        severity="warning",
        mended_by="subscriber",
        subscriber=_("Your device has not reported in time, so we count it as offline."),
        support=_("The device's registration ran out because no update came within its lifetime."),
        engineer=(
            _("No Update arrived before the registration's expiry, so it and its observations were removed.")
        ),
        action=(
            _(
                "Check the power and the reception of the device; it registers again by itself when it is back."
            )
        ),
    ),
    Cause(
        code="BINDING_INVALID",
        area="registration",
        severity="error",
        mended_by="engineer",
        subscriber=_("Your device named a way of being reached that does not exist."),
        support=_("The binding in the device's registration is not allowed in its version."),
        engineer=(
            _("The b parameter has a letter or combination that the registered LwM2M version does not allow.")
        ),
        action=_("Set the device's binding to U, or to a combination that its LwM2M version allows."),
    ),
    Cause(
        code="QUEUE_MODE_INVALID",
        area="registration",
        severity="error",
        mended_by="engineer",
        subscriber=_("Your device announced its sleep mode in a wrong way."),
        support=_("The device's queue mode flag has a value, or its version does not know the flag."),
        engineer=(
            _("Q carries a value, or came from an LwM2M 1.0 client that must put Q into b (answered 4.00).")
        ),
        action=_("Correct the device's firmware: a bare Q from version 1.1 on, UQ as binding in 1.0."),
    ),
    Cause(
        code="PARAMETER_INVALID",
        area="registration",
        severity="error",
        mended_by="engineer",
        subscriber=_("Your device sent a detail about itself that we could not read."),
        support=_("One parameter of the device's request is missing, doubled or malformed."),
        engineer=_(
            "A query parameter broke its grammar or bound; its name is in the detail (answered 4.00)."
        ),
        action=_("Correct the named parameter in the device's firmware or configuration."),
    ),
    Cause(
        code="PROFILE_ID_UNKNOWN",
        area="registration",
        severity="info",
        mended_by="nobody",
        subscriber=(
            _(
                "Your device used a short form of registering that we do not know yet and will use the long one."
            )
        ),
        support=_("The device registered by a profile number that this server has not learned."),
        engineer=_("The pid is unknown here, so 4.09 asked the client to register with its object list."),
        action=_("Nothing needs to be done; the device registers again with its full list."),
    ),
    Cause(
        code="BAD_LINK_FORMAT",
        area="registration",
        severity="error",
        mended_by="engineer",
        subscriber=_("Your device sent a list of its functions that we could not read."),
        support=_("The list of objects in the device's registration is malformed."),
        engineer=_(
            "The payload is not valid link format of RFC 6690, or exceeds the limits on size and count."
        ),
        action=_("Correct the device's firmware; the position of the mistake is in the detail."),
    ),
    Cause(
        code="OBJECT_LIST_EMPTY",
        area="registration",
        severity="error",
        mended_by="engineer",
        subscriber=_("Your device did not say what it can do."),
        support=_("The device registered without naming any object."),
        engineer=_(
            "The Register payload is empty or holds no object link below the root path (answered 4.00)."
        ),
        action=_("Correct the device's firmware so that it lists at least /1 and /3."),
    ),
    Cause(
        code="REGISTRATION_UNKNOWN",
        area="registration",
        severity="info",
        mended_by="nobody",
        subscriber=_("Your device used an earlier sign-on that has ended, and will sign on again."),
        support=_("The device updated a registration that had already ended; it should come back at once."),
        engineer=(
            _(
                "Update or De-register named a location that is expired, replaced or never existed (answered "
                "4.04)."
            )
        ),
        action=_("Wait for the device to register again, or restart it if it does not within a few minutes."),
    ),
    Cause(
        code="REGISTRATION_REPLACED",
        area="registration",
        severity="info",
        mended_by="nobody",
        subscriber=_("Your device registered anew, as it does after a restart."),
        support=_("A new registration of the same device replaced the one before."),
        engineer=_("A Register for the same endpoint removed the earlier registration and its observations."),
        action=(
            _(
                "Nothing needs to be done unless it happens many times an hour, which points to a restarting "
                "device."
            )
        ),
    ),
    Cause(
        code="ADDRESS_TAKEN",
        area="registration",
        severity="warning",
        mended_by="nobody",
        subscriber=_(
            "Another device uses the network address that yours had. Yours is heard again when it next reports."
        ),
        support=(
            _(
                "Another device registered or updated from the address where this one was last heard. "
                "Without encryption "
                "devices are told apart by their address, so what waits is sent when this one speaks again."
            )
        ),
        engineer=(
            _(
                "A newer registration without security came from the same transport, host and port, "
                "as when a NAT gives a "
                "port anew. The older one stays registered and has no address until its next Update."
            )
        ),
        action=(
            _(
                "Wait for the device's next Update. If it happens again and again, give the devices "
                "pre-shared keys, or "
                "look why they share one port: a NAT with too few, or two programs in turn on one host."
            )
        ),
    ),
    Cause(
        code="DEREGISTERED",
        area="registration",
        severity="info",
        mended_by="nobody",
        subscriber=_("Your device signed off by itself."),
        support=_("The device ended its registration properly, as it does when it is switched off."),
        engineer=_("A De-register was received and the registration with its observations was removed."),
        action=_("Switch the device on again when it is to come back online."),
    ),
)
