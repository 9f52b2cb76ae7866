"""Causes of SMS: numbers that do not fit, the cost cap, and the link to the SMSC."""

from django.utils.translation import gettext_lazy as _

from audit.catalogue.cause import Cause

CAUSES = (
    Cause(
        code="MSISDN_UNKNOWN",
        area="security",
        severity="warning",
        mended_by="staff",
        subscriber=_("A device wrote to us from a phone number that belongs to none of your devices."),
        support=_("An SMS came from a number that no device of this operator has."),
        engineer=_(
            "The source address of the deliver_sm is not the msisdn of a living device of the link's operator."
        ),
        action=_("Add the device with this phone number, or correct the number of the device it belongs to."),
    ),
    Cause(
        code="MSISDN_MISMATCH",
        area="security",
        severity="error",
        mended_by="staff",
        subscriber=_("Your device wrote to us through the network of another operator."),
        support=_(
            "The number belongs to a device of another operator than the one whose SMSC delivered the SMS."
        ),
        engineer=_(
            "The device's operator is not the operator of the SMPP link that the deliver_sm came over."
        ),
        action=_(
            "Check with the SMSC's operator who may use this number, and move the device if it changed hands."
        ),
    ),
    Cause(
        code="MSISDN_INVALID",
        area="people",
        severity="warning",
        mended_by="subscriber",
        subscriber=_("This is not a phone number that we can use."),
        support=_("The phone number is not written in the international form."),
        engineer=_("An msisdn is + and 7 to 15 digits (ITU-T E.164), without blanks."),
        action=_("Write the number with its country code, such as +49 151 1234567."),
    ),
    Cause(
        code="MSISDN_TAKEN",
        area="people",
        severity="warning",
        mended_by="staff",
        subscriber=_("Another device has this phone number already."),
        support=_("The phone number is that of another living device, perhaps of another operator."),
        engineer=(
            _(
                "Among devices that are not retired, msisdn is unique within an operator, and in the "
                "portal once an SMS "
                "came from it (msisdn_confirmed_at)."
            )
        ),
        action=_("Check the number on the SIM card; if it is right, have the other device removed first."),
    ),
    Cause(
        code="MSISDN_MISSING",
        area="people",
        severity="warning",
        mended_by="subscriber",
        subscriber=_("This device has no phone number, so no text message can reach it."),
        support=_("Nothing can be sent by SMS because the device's phone number is not known."),
        engineer=_("The column msisdn of the device is empty."),
        action=_("Enter the phone number of the device's SIM card."),
    ),
    Cause(
        code="SMS_BUDGET_SPENT",
        area="reach",
        severity="warning",
        mended_by="staff",
        subscriber=_("Your device has used up its text messages for today; it is served again tomorrow."),
        support=_("The daily number of SMS to this device is spent, and nothing more is sent to it today."),
        engineer=(
            _(
                "SmsSpent.count has reached SmscLink.daily_messages for this UTC day, or 1 while no SMS came from the "
                "number (msisdn_confirmed_at)."
            )
        ),
        action=(
            _(
                "Find out what makes the device talk so much, or raise the daily number at the operator's SMSC link; a "
                "number from which no SMS ever came gets one a day: check it against the SIM card."
            )
        ),
    ),
    Cause(
        code="SMS_REFUSED",
        area="reach",
        severity="error",
        mended_by="staff",
        subscriber=_("The mobile network did not take a text message to your device."),
        support=_("The SMSC refused the SMS, and would refuse it again."),
        engineer=_("The submit_sm_resp had a command_status that is permanent; it is in the detail."),
        action=_("Check the device's phone number and our own address at the SMSC link, then try again."),
    ),
    Cause(
        code="SMS_INCOMPLETE",
        area="message",
        severity="warning",
        mended_by="nobody",
        subscriber=_(
            "A long text message from your device did not reach us whole; the device sends it again."
        ),
        support=_(
            "Parts of a long SMS from the device are missing, or could not be told from those of another one."
        ),
        engineer=(
            _(
                "Parts under one concatenation reference were given up after ten minutes, or because two messages used "
                "the reference at once (3GPP TS 23.040 9.2.3.24.1); nothing of them was taken."
            )
        ),
        action=_(
            "Nothing, if it is rare; else have the device count its concatenation reference up, also over restarts."
        ),
    ),
    Cause(
        code="SMS_EXPIRED",
        area="reach",
        severity="warning",
        mended_by="nobody",
        subscriber=_("A text message to your device waited too long and was given up."),
        support=_("The SMS could not be given to the SMSC before its time was over."),
        engineer=_("The outbox row's expires_at passed while the link was down, slow or throttled."),
        action=_("Look at the state of the SMSC link; what is still wanted is sent anew."),
    ),
    Cause(
        code="SMSC_UNREACHABLE",
        area="reach",
        severity="error",
        mended_by="engineer",
        subscriber=_("The connection to the mobile network is down at the moment."),
        support=_("The portal has no connection to the operator's SMSC, and tries again by itself."),
        engineer=_(
            "No TCP or TLS connection, no answer to bind or enquire_link, or the SMSC closed the link."
        ),
        action=_("Check host, port and firewall of the SMSC link, and whether the SMSC is up."),
    ),
    Cause(
        code="SMSC_REFUSED",
        area="reach",
        severity="error",
        mended_by="staff",
        subscriber=_("The mobile network does not let the portal send text messages at the moment."),
        support=_("The SMSC refuses the portal's sign-in."),
        engineer=_(
            "The bind_transceiver_resp had a command_status that no repetition mends; it is in the detail."
        ),
        action=_("Correct system id, password and system type of the SMSC link with the SMSC's operator."),
    ),
    Cause(
        code="SMSC_LINK_MISSING",
        area="reach",
        severity="error",
        mended_by="staff",
        subscriber=_("Your operator has no connection for text messages yet."),
        support=_("The operator has no SMSC link, or it is switched off."),
        engineer=_("There is no enabled SmscLink row for the operator."),
        action=_("Set up the SMSC link of the operator in the admin, or set SMPP_URL."),
    ),
)
