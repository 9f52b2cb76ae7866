"""Causes of not reaching a device, and of commands that did not end well."""

from django.utils.translation import gettext_lazy as _

from audit.catalogue.cause import Cause

CAUSES = (
    Cause(
        code="RESPONSE_TIMEOUT",
        area="reach",
        severity="warning",
        mended_by="nobody",
        subscriber=_("Your device did not answer in time."),
        support=_("The request was sent and repeated, but the device gave no answer."),
        engineer=(
            _(
                "No response came within the exchange's time-out after an acknowledgement or all retransmissions."
            )
        ),
        action=(
            _(
                "Wait for the device's next contact, or check its reception: what may be sent twice "
                "is sent again then, "
                "an Execute or a Create has to be asked for anew."
            )
        ),
    ),
    Cause(
        code="ACKNOWLEDGED_UNANSWERED",
        area="reach",
        severity="warning",
        mended_by="engineer",
        subscriber=_("Your device received the request and then said nothing about it."),
        support=_(
            "The device confirmed that the request arrived, but never answered it; it may not know the operation."
        ),
        engineer=(
            _(
                "An empty ACK came and no response followed in time; some clients do so with methods they do not "
                "implement, such as FETCH and iPATCH. It is not sent again."
            )
        ),
        action=(
            _(
                "Ask in another way, such as single Reads or Writes instead of a composite one; if others answer, the "
                "device does not know this operation."
            )
        ),
    ),
    Cause(
        code="ANSWER_UNREADABLE",
        area="reach",
        severity="error",
        mended_by="engineer",
        subscriber=_("Your device answered in a way that we could not understand."),
        support=_("The device's answer is broken, so it is not known what became of the command."),
        engineer=(
            _(
                "The response is no valid CoAP message, has an unknown critical option, or a block that was not asked "
                "for; which of these is in the detail."
            )
        ),
        action=_(
            "Correct the device's firmware by the detail, or write and read smaller pieces, which need no blocks."
        ),
    ),
    Cause(
        code="MESSAGE_TOO_LARGE",
        area="reach",
        severity="error",
        mended_by="engineer",
        subscriber=_("Your device cannot take a message as long as this one needs to be."),
        support=_("The device takes only messages that are shorter than this command, so it was not sent."),
        engineer=(
            _(
                "The device said a Max-Message-Size over TCP (RFC 8323 section 5.3.1) in which the "
                "message does not fit, "
                "even in blocks; both sizes are in the detail."
            )
        ),
        action=_(
            "Have the device announce a larger Max-Message-Size, or order something with a shorter path."
        ),
    ),
    Cause(
        code="ANSWER_UNEXPECTED",
        area="reach",
        severity="error",
        mended_by="engineer",
        subscriber=_("Your device gave an answer that does not fit the request."),
        support=_(
            "The device answered with a success that belongs to another operation, so nothing was taken from it."
        ),
        engineer=(
            _(
                "The response code is of class 2, but not the one of this operation in the tables of LwM2M; 2.31 never "
                "is final, and 2.03 has no meaning without an ETag of the request."
            )
        ),
        action=_("Correct the device's firmware by the detail, which names both codes."),
    ),
    Cause(
        code="DEVICE_BUSY",
        area="reach",
        severity="warning",
        mended_by="nobody",
        subscriber=_("Your device has no time for this at the moment."),
        support=_("The device asked to be asked again later; the request waits until then."),
        engineer=(
            _(
                "The response was 5.03 Service Unavailable; it is sent again after Max-Age, and refused when that came "
                "too often."
            )
        ),
        action=_(
            "Wait for the next try; if the device stays busy, look for what it is doing, such as an update."
        ),
    ),
    Cause(
        code="OBSERVED_PATH_GONE",
        area="reach",
        severity="info",
        mended_by="nobody",
        subscriber=_("Your device does not offer this value at the moment."),
        support=_(
            "What is observed is not on the list of the device any more; it is observed again when it comes back."
        ),
        engineer=_(
            "The last Register or Update lists neither the object nor the instance of the observed path."
        ),
        action=_("Wait until the device lists it again, or end the observation if that will not happen."),
    ),
    Cause(
        code="OBSERVATION_ENDED",
        area="reach",
        severity="info",
        mended_by="staff",
        subscriber=_("Your device does not report this value by itself any more."),
        support=_("The device ended the observation; it is asked for again when the device registers anew."),
        engineer=_(
            "A notification came without the Observe option, which ends an observation (RFC 7641 section 3.2)."
        ),
        action=_("Observe the value again if that is needed before the device registers anew."),
    ),
    Cause(
        code="COMMAND_EXPIRED",
        area="reach",
        severity="warning",
        mended_by="staff",
        subscriber=_("Your request waited too long for the device and was given up."),
        support=_("The device did not come online before the command's time was over."),
        engineer=_("The command's expiry passed while it was queued, so it was never sent."),
        action=_("Make sure that the device is online, then give the command again."),
    ),
    Cause(
        code="COMMAND_REFUSED",
        area="reach",
        severity="error",
        mended_by="staff",
        subscriber=_("Your device understood the request but refused it."),
        support=_("The device answered the command with an error; its answer is in the detail."),
        engineer=_("The device's response code was 4.xx or 5.xx; the code and path are in the detail."),
        action=_(
            "Check that the device supports this value and allows the change, then correct the command."
        ),
    ),
    Cause(
        code="COMMAND_CANCELLED",
        area="reach",
        severity="info",
        mended_by="nobody",
        subscriber=_("The request was withdrawn before it reached your device."),
        support=_("A person or the end of its job cancelled the command while it waited."),
        engineer=_("The command left the mailbox as cancelled and was never sent."),
        action=_("Give the command again if it is still wanted."),
    ),
    Cause(
        code="DEVICE_ASLEEP",
        area="reach",
        severity="info",
        mended_by="nobody",
        subscriber=_("Your device is asleep to save its battery, and your request waits until it wakes."),
        support=_("The device uses queue mode; the command is sent when it next reports."),
        engineer=_("The registration is in queue mode and its awake window is over, so downlink is held."),
        action=_("Wait for the wake-up time shown, or wake the device by hand if it has a button for that."),
    ),
    Cause(
        code="DEVICE_UNREACHABLE",
        area="reach",
        severity="warning",
        mended_by="nobody",
        subscriber=_("We cannot reach your device at the moment."),
        support=_("The device counts as registered, but nothing can be sent to it now."),
        engineer=_("No live flow exists for the registration: its socket, session or address is gone."),
        action=_("Wait for the device's next update, or restart it to restore the connection at once."),
    ),
    Cause(
        code="DEVICE_SILENT",
        area="reach",
        severity="warning",
        mended_by="subscriber",
        subscriber=_("Everything is ready here, but your device has not contacted us yet."),
        support=_("Nothing under this device's name or key identity has reached us since it was added."),
        engineer=(
            _(
                "No datagram that could be matched to this endpoint or identity has arrived on any port. Handshakes "
                "without a name (certificates, TLS, no common cipher suite) cannot be matched; the "
                "waiting room has those."
            )
        ),
        action=(
            _(
                "Check that the device is switched on, has network, and is set to the server address on its page."
            )
        ),
    ),
    Cause(
        code="DEVICE_SILENT_AGAIN",
        area="reach",
        severity="warning",
        mended_by="subscriber",
        subscriber=_("Your device has been here before, but it has not come again yet."),
        support=_("The device has reached us before, but not since this set-up began."),
        engineer=_(
            "There are older knocks, sessions or a registration of it, and none since the present job."
        ),
        action=_(
            "Check that the device is switched on and has network, and restart it so that it calls at once."
        ),
    ),
    Cause(
        code="REGISTRATION_AWAITED",
        area="reach",
        severity="warning",
        mended_by="subscriber",
        subscriber=_("Your device took its settings, but it has not signed in with them yet."),
        support=_("The device was set up by the bootstrap server and has not registered since."),
        engineer=_(
            "A bootstrap session ended well, and neither a Register nor a refused handshake followed it."
        ),
        action=_(
            "Restart the device; if it only fetches its settings again and again, its own log says what it lacks."
        ),
    ),
    Cause(
        code="SMS_UNDELIVERED",
        area="reach",
        severity="warning",
        mended_by="subscriber",
        subscriber=_("A text message to your device could not be delivered."),
        support=_("The mobile network could not deliver our SMS to the device's number."),
        engineer=_("The SMSC reported a final failure, or the message's validity period passed."),
        action=_("Check the phone number, the SIM card and the coverage of the device, then try again."),
    ),
)
