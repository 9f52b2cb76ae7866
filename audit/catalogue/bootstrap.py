"""Causes of the bootstrap interface: what keeps a device from getting its configuration."""

from django.utils.translation import gettext_lazy as _

from audit.catalogue.cause import Cause

CAUSES = (
    Cause(
        code="NO_BOOTSTRAP_PROFILE",
        area="bootstrap",
        severity="error",
        mended_by="staff",
        subscriber=_("Your operator has not yet prepared the settings that your kind of device needs."),
        support=_("The operator has no active bootstrap profile that fits this device."),
        engineer=(
            _("Profile selection found no active bootstrap profile for the device's operator and security.")
        ),
        action=(
            _(
                "Create or activate a bootstrap profile for this operator; waiting devices then go on by "
                "themselves."
            )
        ),
    ),
    Cause(
        code="PROFILE_INVALID",
        area="bootstrap",
        severity="error",
        mended_by="staff",
        subscriber=_("The settings that your operator prepared for your device contain a mistake."),
        support=_("The bootstrap profile breaks a rule of the standard and was not sent to the device."),
        engineer=(
            _("Rendering the profile violated a consistency rule of /0, /1 or /2; the rule is in the detail.")
        ),
        action=_("Open the bootstrap profile, correct the rule it names, and start the job again."),
    ),
    Cause(
        code="NO_ACCOUNT_FOR_TRANSPORT",
        area="bootstrap",
        severity="error",
        mended_by="staff",
        subscriber=_("Your device came to us on a way on which your operator cannot manage it yet."),
        support=_("The device came by a transport on which the portal has no management server."),
        engineer=(
            _(
                "A Bootstrap-Request came over TCP, the profile names no server, and COAP_TCP_PORT is not set: an "
                "account for UDP could leave the device where its network does not let it out (answered 4.00)."
            )
        ),
        action=(
            _(
                "Give the operator's bootstrap profile a server address that the device can reach, or have the "
                "management server listen on TCP (COAP_TCP_PORT)."
            )
        ),
    ),
    Cause(
        code="BOOTSTRAP_CONTENT_FORMAT_UNSUPPORTED",
        area="bootstrap",
        severity="error",
        mended_by="engineer",
        subscriber=_("Your device asked for its settings in a form that we cannot write."),
        support=_("The device prefers a data format that this server does not offer."),
        engineer=(
            _(
                "The pct parameter of the Bootstrap-Request names an unsupported Content-Format (answered 4.15)."
            )
        ),
        action=_("Set the device's firmware to TLV, SenML JSON or SenML CBOR, or leave the preference out."),
    ),
    Cause(
        code="BOOTSTRAP_NOT_READY",
        area="bootstrap",
        severity="info",
        mended_by="nobody",
        subscriber=(
            _("Your device came before its settings were ready, and it will be served when it asks again.")
        ),
        support=_("The device knocked while its provisioning job was still preparing the configuration."),
        engineer=_("A Bootstrap-Request arrived before the render step of the job was done (answered 4.00)."),
        action=_("Wait for the device's next attempt, or restart the device to make it ask at once."),
    ),
    Cause(
        code="BOOTSTRAP_INTERRUPTED",
        area="bootstrap",
        severity="warning",
        mended_by="subscriber",
        subscriber=_("The connection to your device broke while it was being set up."),
        support=_("The set-up stopped half way because the connection or our server went away."),
        engineer=_("The bootstrap session lost its flow or its southbound process before the Finish."),
        action=_("Restart the device; the set-up begins again from the start and nothing is lost."),
    ),
    Cause(
        code="BOOTSTRAP_TIMEOUT",
        area="bootstrap",
        severity="warning",
        mended_by="subscriber",
        subscriber=_("Your device stopped answering while it was being set up."),
        support=_("The device did not answer one of the set-up steps in time; the step is in the detail."),
        engineer=(
            _(
                "A bootstrap request went unanswered through all retransmissions, or the session passed its "
                "limit."
            )
        ),
        action=_("Check the power and the reception of the device, then restart it."),
    ),
    Cause(
        code="BOOTSTRAP_WRITE_REFUSED",
        area="bootstrap",
        severity="error",
        mended_by="engineer",
        subscriber=_("Your device did not accept one of its new settings."),
        support=_("The device refused a setting that we wrote; which one and its answer are in the session."),
        engineer=(
            _("A Bootstrap-Write was answered with a 4.xx or 5.xx code; the path and code are in the detail.")
        ),
        action=(
            _(
                "Change or leave out that setting in the bootstrap profile, then let the device bootstrap again."
            )
        ),
    ),
    Cause(
        code="BOOTSTRAP_DELETE_REFUSED",
        area="bootstrap",
        severity="warning",
        mended_by="engineer",
        subscriber=_("Your device kept some old settings that we asked it to remove."),
        support=_("The device refused to delete old configuration, and the set-up went on without that."),
        engineer=_(
            "A Bootstrap-Delete was answered with an error code; the path and code are in the detail."
        ),
        action=_("Leave that path out of the profile's deletions if the set-up then fails to finish."),
    ),
    Cause(
        code="BOOTSTRAP_DISCOVER_REFUSED",
        area="bootstrap",
        severity="warning",
        mended_by="engineer",
        subscriber=_("Your device did not tell us which settings it already has."),
        support=_("The device did not list its accounts, so the usual places were assumed."),
        engineer=(
            _(
                "Bootstrap-Discover failed or was unreadable, so the instance of the bootstrap account is a "
                "guess."
            )
        ),
        action=_("If the set-up fails, give the profile fixed instance numbers that suit this firmware."),
    ),
    Cause(
        code="BOOTSTRAP_FINISH_REFUSED",
        area="bootstrap",
        severity="error",
        mended_by="engineer",
        subscriber=_("Your device took its settings but did not agree to use them."),
        support=_("The device refused the end of the set-up with an error."),
        engineer=(
            _("Bootstrap-Finish was answered with an error code other than 4.06; the code is in the detail.")
        ),
        action=_("Compare the written settings with the device's manual, correct the profile and try again."),
    ),
    Cause(
        code="BOOTSTRAP_INCONSISTENT",
        area="bootstrap",
        severity="error",
        mended_by="staff",
        subscriber=_("Your device says that its new settings do not fit together."),
        support=_("The device checked its configuration and found something missing or contradictory."),
        engineer=(
            _("Bootstrap-Finish was answered 4.06: /0, /1 or /2 as written are inconsistent for this client.")
        ),
        action=_(
            "Look for a missing server account, key or mandatory resource in the profile, and correct it."
        ),
    ),
    Cause(
        code="BOOTSTRAP_SUPERSEDED",
        area="bootstrap",
        severity="info",
        mended_by="nobody",
        subscriber=_("Your device started its set-up anew, and the earlier attempt was put aside."),
        support=_("A newer set-up attempt of the same device replaced this one."),
        engineer=(
            _("A second Bootstrap-Request for the endpoint cancelled the running session; the newest wins.")
        ),
        action=_("Nothing needs to be done; look at the newer session of this device."),
    ),
    Cause(
        code="BOOTSTRAP_PACK_UNSUPPORTED",
        area="bootstrap",
        severity="info",
        mended_by="nobody",
        subscriber=_("Your device first tried a newer way of being set up and will use the usual one."),
        support=_("The device asked for all settings in one package, which this server does not offer."),
        engineer=_("GET /bspack was answered 5.01, upon which clients fall back to POST /bs."),
        action=_("Nothing needs to be done unless the device does not come back within a few minutes."),
    ),
    Cause(
        code="NOT_PROVISIONED",
        area="bootstrap",
        severity="warning",
        mended_by="nobody",
        subscriber=_("Your device tried to come online before it had been set up."),
        support=_("The device registered directly although its set-up is not done."),
        engineer=_("A Register came from a device without applied management credentials."),
        action=_("Let the device contact the bootstrap server first; its address is on the device's page."),
    ),
    Cause(
        code="BOOTSTRAP_NOT_EXPECTED",
        area="bootstrap",
        severity="warning",
        mended_by="subscriber",
        subscriber=_("Your device asked to be set up, but it was added as one that is set up already."),
        support=_(
            "The device asked the bootstrap server, yet it was added to connect directly to the M2M server."
        ),
        engineer=_(
            "A Bootstrap-Request without encryption for a device with direct onboarding (answered 4.00)."
        ),
        action=(
            _(
                "Set the M2M server's address in the device, or remove it here and add it again to be set up over "
                "the network."
            )
        ),
    ),
)
