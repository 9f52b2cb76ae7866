"""Why a device behind an M2M gateway is not reached, and why what a gateway tells does not count."""

from django.utils.translation import gettext_lazy as _

from audit.catalogue.cause import Cause

CAUSES = (
    Cause(
        code="GATEWAY_OFFLINE",
        area="reach",
        severity="warning",
        mended_by="subscriber",
        subscriber=_("The gateway that connects your device is offline."),
        support=_("The device sits behind a gateway whose registration has ended."),
        engineer=_("The registration of the device's M2M Gateway (object 25) is expired or removed."),
        action=_("Check the power and network of the gateway; the devices behind it return with it."),
    ),
    Cause(
        code="END_DEVICE_GONE",
        area="reach",
        severity="warning",
        mended_by="subscriber",
        subscriber=_("The gateway does not see your device any more."),
        support=_("The gateway is there, but its list of devices does not have this one any more."),
        engineer=_("No instance of /25 of the gateway has this Device ID."),
        action=_(
            "Check the battery and the distance of the device; pair it with the gateway again if need be."
        ),
    ),
    Cause(
        code="END_DEVICE_MOVED",
        area="reach",
        severity="info",
        mended_by="nobody",
        subscriber=_("Your device is connected by another of your gateways now."),
        support=_("Another gateway of the same subscriber tells of the device; it keeps its history."),
        engineer=_("The Device ID was last told in /25 of another gateway of the same owner."),
        action=_("Nothing to do; what is asked of the device goes through the gateway that told of it last."),
    ),
    Cause(
        code="END_DEVICE_NOT_TOLD",
        area="reach",
        severity="info",
        mended_by="subscriber",
        subscriber=_("None of your gateways sees this device yet."),
        support=_("The device was announced, and no gateway of the same subscriber has told of it so far."),
        engineer=_("No live /25 instance of the owner's gateways has this Device ID in resource 0."),
        action=_("Pair the device with your gateway, and compare its Device ID with the label."),
    ),
    Cause(
        code="END_DEVICE_ELSEWHERE",
        area="access",
        severity="warning",
        mended_by="staff",
        subscriber=_("A device behind your gateway belongs to somebody else."),
        support=_(
            "The gateway tells of a device that another subscriber or operator owns; it stays where it is."
        ),
        engineer=_(
            "The Device ID in /25 is the endpoint of a living device with another owner or another way."
        ),
        action=_("If the device changed hands, its former owner has to remove it first."),
    ),
    Cause(
        code="END_DEVICE_UNKNOWN",
        area="message",
        severity="warning",
        mended_by="engineer",
        subscriber=_("Your gateway sent values of a device that it did not tell of."),
        support=_("The gateway reports values under a prefix that its list of devices does not have."),
        engineer=_("A prefix in a Send or a notification matches no /25/x/1, also after /25 was read again."),
        action=_("Let the gateway add the device to object 25 and send an Update before it reports for it."),
    ),
    Cause(
        code="END_DEVICE_UNREADABLE",
        area="message",
        severity="warning",
        mended_by="engineer",
        subscriber=_("Your gateway describes one of its devices in a way we do not understand."),
        support=_("An entry of the gateway's list of devices has no usable Device ID or prefix."),
        engineer=(
            _(
                "Resource /25/x/0 or /25/x/1 is missing, empty, too long, has a slash, is a number, "
                "or stands there twice."
            )
        ),
        action=_("Correct the firmware of the gateway: one Device ID and one prefix for each end device."),
    ),
    Cause(
        code="GATEWAY_REMOVED",
        area="reach",
        severity="warning",
        mended_by="subscriber",
        subscriber=_("The gateway that connected your device was removed."),
        support=_("The gateway of this device was released; no other gateway tells of the device."),
        engineer=_("The gateway's device row is retired, and with it the way to everything behind it."),
        action=_("Pair the device with another gateway of yours, or remove the device too."),
    ),
)
