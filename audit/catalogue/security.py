"""Causes found before a device is believed: keys, handshakes, identities."""

from django.utils.translation import gettext_lazy as _

from audit.catalogue.cause import Cause

CAUSES = (
    Cause(
        code="ENDPOINT_IDENTITY_MISMATCH",
        area="security",
        severity="error",
        mended_by="subscriber",
        subscriber=_(
            "A device with this key, or under this name, calls itself something else than what was entered."
        ),
        support=(
            _(
                "The device proved one identity and then claimed an endpoint name that this identity may not use."
            )
        ),
        engineer=(
            _(
                "The authenticated PSK identity is bound to an endpoint other than the ep parameter (answered "
                "4.00)."
            )
        ),
        action=(
            _(
                "Compare the endpoint name that was entered with the one on the label, and correct it on its page; "
                "or put the key into the device that belongs to its name."
            )
        ),
    ),
    Cause(
        code="PSK_IDENTITY_UNKNOWN",
        area="security",
        severity="error",
        mended_by="subscriber",
        subscriber=_("A device tried to connect with a key name that we do not know."),
        support=(
            _(
                "The key identity that the device sent belongs to no device that was added here, or its key was "
                "replaced or taken back."
            )
        ),
        engineer=(
            _(
                "No credential that counts matches the PSK identity of the ClientKeyExchange on this plane, so no key "
                "was offered; or a session was made with a key that was retired since."
            )
        ),
        action=_("Check the key identity for typing mistakes, or add the device with exactly this identity."),
    ),
    Cause(
        code="PSK_MISMATCH",
        area="security",
        severity="error",
        mended_by="subscriber",
        subscriber=_("The key in your device is not the one that was entered here."),
        support=_("The device's key identity is known, but its secret key differs from the one we hold."),
        engineer=_("The Finished record of the DTLS handshake failed to authenticate under the stored PSK."),
        action=_(
            "Type the printed key again on the device's page, or make a new key and put it into the device."
        ),
    ),
    Cause(
        code="PSK_KEY_INVALID",
        area="security",
        severity="error",
        mended_by="subscriber",
        subscriber=(
            _(
                "The key you entered cannot be right: it has the wrong length, contains a wrong character, or is the "
                "same two digits over and over."
            )
        ),
        support=_("The entered key is not hexadecimal, has no allowed length, or is a single repeated byte."),
        engineer=_("A PSK must be 16 to 64 bytes after decoding, and not a single repeated byte."),
        action=_("Copy the key again exactly as printed, without spaces before or after it."),
    ),
    Cause(
        code="PSK_IDENTITY_TAKEN",
        area="security",
        severity="error",
        mended_by="subscriber",
        subscriber=_("This key identity is already used by another device."),
        support=_(
            "Another device already authenticates with this identity, and two devices cannot share one."
        ),
        engineer=_("The (plane, PSK identity) pair violates its unique constraint."),
        action=_("Use the identity printed on this very device, or let the portal make one."),
    ),
    Cause(
        code="DTLS_HANDSHAKE_FAILED",
        area="security",
        severity="error",
        mended_by="engineer",
        subscriber=_("Your device and our server could not agree on a secure connection."),
        support=_("The encrypted connection failed before the device could say who it is."),
        engineer=(
            _(
                "The DTLS handshake ended with an alert or without a common cipher suite; the alert is in the "
                "detail."
            )
        ),
        action=_(
            "Set the device to DTLS 1.2 with a PSK cipher suite that this server supports, and try again."
        ),
    ),
    Cause(
        code="DTLS_HANDSHAKE_TIMEOUT",
        area="security",
        severity="warning",
        mended_by="subscriber",
        subscriber=_("Your device began a secure connection and then fell silent."),
        support=(
            _(
                "The device started to connect but did not finish, as happens with weak reception or a blocked "
                "port."
            )
        ),
        engineer=_("No valid next handshake flight arrived before the retransmissions of ours were used up."),
        action=(
            _(
                "Check the reception and that the network lets UDP answers through; the device will try again "
                "itself."
            )
        ),
    ),
    Cause(
        code="DTLS_FLOOD",
        area="security",
        severity="warning",
        mended_by="engineer",
        subscriber=_("So many connections arrived at once that yours may have had to wait."),
        support=(
            _("The server turned some new connections away to protect those that are up; devices try again.")
        ),
        engineer=_("The limit of half-open handshakes was reached and further ClientHellos were dropped."),
        action=(
            _(
                "Look at the sources of the handshakes and block those that never finish, or add a southbound "
                "process."
            )
        ),
    ),
    Cause(
        code="NOSEC_NOT_ALLOWED",
        area="security",
        severity="error",
        mended_by="staff",
        subscriber=(
            _(
                "Your operator accepts only encrypted connections, and your device connected without encryption."
            )
        ),
        support=_("The device came in over plain CoAP, which its operator does not allow."),
        engineer=_("The request arrived on the NoSec port while the operator's allows_nosec is off."),
        action=(
            _(
                "Give the device a key and the coaps:// address, or allow unencrypted devices for this operator."
            )
        ),
    ),
    Cause(
        code="WRONG_SECURITY",
        area="security",
        severity="error",
        mended_by="subscriber",
        subscriber=_("Your device connected in another way than was set when it was added."),
        support=_("The device is set up here for one kind of security and came with another."),
        engineer=_(
            "The transport's security mode differs from the device's, or from that of its registration."
        ),
        action=(
            _("Set the device to the address and the key shown on its page, or change how it connects there.")
        ),
    ),
    Cause(
        code="OSCORE_UNSUPPORTED",
        area="security",
        severity="warning",
        mended_by="engineer",
        subscriber=_("A device protects its messages in a way that is not understood here."),
        support=_("The device speaks OSCORE, a protection of single messages that the portal does not have."),
        engineer=_(
            "The request carries option 9 (OSCORE, RFC 8613), which is answered 4.02 as an unknown critical one."
        ),
        action=_(
            "Let the device use DTLS with a pre-shared key; its server address then begins with coaps://."
        ),
    ),
    Cause(
        code="TLS_UNSUPPORTED",
        area="security",
        severity="warning",
        mended_by="engineer",
        subscriber=_("A device tried to connect in an encrypted way that is not offered here."),
        support=_("The device began TLS at a port where CoAP over TCP goes without encryption."),
        engineer=_(
            "The first bytes on the CoAP over TCP port are a TLS handshake record; coaps+tcp is not offered."
        ),
        action=_(
            "Let the device use coaps:// (DTLS over UDP), or coap+tcp:// where the operator allows no encryption."
        ),
    ),
    Cause(
        code="DTLS_SUITE_UNSUPPORTED",
        area="security",
        severity="warning",
        mended_by="engineer",
        subscriber=_(
            "A device tried to connect with a kind of key or certificate that is not accepted here."
        ),
        support=_(
            "The device offers no cipher suite that the portal has: it may have certificates or raw public keys."
        ),
        engineer=_("No suite of the ClientHello is one of the plain PSK suites in docs/dtls.md (alert 40)."),
        action=_("Give the device a pre-shared key, and let it offer TLS_PSK_WITH_AES_128_CCM_8 (C0A8)."),
    ),
    Cause(
        code="SECRET_UNREADABLE",
        area="security",
        severity="error",
        mended_by="engineer",
        subscriber=_("A stored secret cannot be read at the moment; your operator has to mend this."),
        support=_(
            "A stored key or password cannot be opened, because the encryption key it was stored with is gone."
        ),
        engineer=_(
            "No key of FIELD_ENCRYPTION_KEYS opens the token; manage.py reseal_secrets --check counts such ones."
        ),
        action=(
            _(
                "Put the encryption key it was stored with back into FIELD_ENCRYPTION_KEYS and run "
                "reseal_secrets; where "
                "that key is lost, type the password or key again, or order the command again."
            )
        ),
    ),
)
