"""Causes found in a message itself, and in our own state when a message arrives."""

from django.utils.translation import gettext_lazy as _

from audit.catalogue.cause import Cause

CAUSES = (
    Cause(
        code="CONTENT_FORMAT_UNSUPPORTED",
        area="message",
        severity="error",
        mended_by="engineer",
        subscriber=_("Your device sent data in a form that we cannot read."),
        support=_("The data format of the device's message is not one that is expected there."),
        engineer=_("The Content-Format option is absent, unknown or not allowed for this operation."),
        action=_("Set the device's firmware to a format that this server supports for this operation."),
    ),
    Cause(
        code="PAYLOAD_MALFORMED",
        area="message",
        severity="error",
        mended_by="engineer",
        subscriber=_("Your device sent data that we could not understand."),
        support=_("The content of the device's message is damaged or wrongly built."),
        engineer=(
            _(
                "The payload does not decode in its declared Content-Format, or exceeds the limits on size and "
                "depth."
            )
        ),
        action=_("Correct the device's firmware; the format and the place of the mistake are in the detail."),
    ),
    Cause(
        code="VALUES_LIMIT",
        area="message",
        severity="warning",
        mended_by="engineer",
        subscriber=_("Your device reports more different values than are kept of one device."),
        support=_(
            "The device names more resources than are kept of one device. Those that are known stay up to date."
        ),
        engineer=(
            _(
                "A Send speaks of over 4,096 resources, or the device has values of 10,000 already: 4.13, and what was "
                "not known before is not kept."
            )
        ),
        action=_("Let the device report fewer resources; delete object instances that it no longer needs."),
    ),
    Cause(
        code="PATH_UNREGISTERED",
        area="message",
        severity="warning",
        mended_by="engineer",
        subscriber=_("Your device reported values of a part that it never told us about."),
        support=_(
            "The device reported values under a name that is not among the objects it named when it came online."
        ),
        engineer=(
            _(
                "A Send or notification names an object instance that is not in the object list, or "
                "has a prefix though "
                "the device is no gateway (object 25): 4.04, and nothing of the message is kept."
            )
        ),
        action=_("Let the device update its object list first, and name values /object/instance/resource."),
    ),
    Cause(
        code="DEVICE_DECLINED",
        area="message",
        severity="warning",
        mended_by="staff",
        subscriber=_("Your device reported values while it may not use the service."),
        support=_(
            "The device came online before; now it or its operator may not be served, so its values are not kept."
        ),
        engineer=(
            _(
                "A report of a live registration whose access, operator, security or credential does not let it in any "
                "more: 4.00, or a reset."
            )
        ),
        action=_("Look at the device's state: resume the device, or give it a key that counts."),
    ),
    Cause(
        code="NOT_CONFIRMABLE",
        area="message",
        severity="warning",
        mended_by="engineer",
        subscriber=_("Your device sent an important message without asking for a receipt."),
        support=(
            _(
                "The device sent its request in a way that does not survive packet loss, so it was not accepted."
            )
        ),
        engineer=(
            _("Register, Update, De-register and Bootstrap-Request must be CON messages, and this was NON.")
        ),
        action=_("Correct the device's firmware to send these requests as confirmable messages."),
    ),
    Cause(
        code="PATH_UNKNOWN",
        area="message",
        severity="warning",
        mended_by="engineer",
        subscriber=_("Your device asked for something that does not exist here."),
        support=_("The device used an address on the server that is not part of the standard."),
        engineer=(
            _(
                "The request's Uri-Path is none of /rd, /bs, /dp and their sub-paths, or not served on this port."
            )
        ),
        action=_("Check that the device's server address has no extra path and uses the right port."),
    ),
    Cause(
        code="METHOD_NOT_ALLOWED",
        area="message",
        severity="warning",
        mended_by="engineer",
        subscriber=_("This was asked in a way that is not allowed here."),
        support=_("The device or program used a right address with a wrong kind of request."),
        engineer=_("The CoAP or HTTP method is not defined for this path (answered 4.05 or 405)."),
        action=_("Correct the device's firmware by the standard's tables, or the program by /api/docs/."),
    ),
    Cause(
        code="MESSAGE_MALFORMED",
        area="message",
        severity="warning",
        mended_by="engineer",
        subscriber=_("Something reached us that is not a readable message from a device."),
        support=_(
            "The server received data that is not a valid message, often from scanners on the internet."
        ),
        engineer=_(
            "The datagram does not parse as CoAP or carries a critical option that is not understood."
        ),
        action=(
            _(
                "Ignore single cases; if it comes from a known device, capture its traffic and correct its "
                "firmware."
            )
        ),
    ),
    Cause(
        code="STORE_UNAVAILABLE",
        area="message",
        severity="error",
        mended_by="engineer",
        subscriber=_("We could not save what your device said; it will try again by itself."),
        support=_("The database was not reachable for a moment, so devices were asked to come again."),
        engineer=(
            _(
                "The group commit failed, so the requests in it were answered 5.03 and nothing was acknowledged."
            )
        ),
        action=_("Look at the database's log, disk space and connections; devices repeat their requests."),
    ),
    Cause(
        code="OVERLOADED",
        area="message",
        severity="warning",
        mended_by="engineer",
        subscriber=_("Very many devices are reporting at once, and yours will have its turn shortly."),
        support=_("The server is at its limit and puts some requests off; devices try again."),
        engineer=_("A bounded queue was full, so the request was answered 5.03 with Max-Age or dropped."),
        action=_("Wait if it follows an outage; otherwise add a southbound process or a faster database."),
    ),
    Cause(
        code="NOT_IMPLEMENTED",
        area="message",
        severity="info",
        mended_by="engineer",
        subscriber=_("This is not possible yet."),
        support=_("The portal does not offer this function yet; the device or person did nothing wrong."),
        engineer=(
            _("The operation is part of the standard or plan but not built here (answered 5.01 or HTTP 501).")
        ),
        action=_("Use another way for now, and tell the maintainers that you need it."),
    ),
    Cause(
        code="INTERNAL_ERROR",
        area="message",
        severity="error",
        mended_by="engineer",
        subscriber=_("Something went wrong on our side, and it is not your fault."),
        support=_("The portal made a mistake that it did not expect; the request id finds it in the logs."),
        engineer=_(
            "An unexpected exception ended the request; its traceback is logged under the request id."
        ),
        action=_("Try once more, and if it happens again, report it together with the request id."),
    ),
)
