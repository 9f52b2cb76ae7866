"""Causes that meet a person or a program at the pages and the REST interface."""

from django.utils.translation import gettext_lazy as _

from audit.catalogue.cause import Cause

CAUSES = (
    Cause(
        code="VALIDATION_FAILED",
        area="people",
        severity="info",
        mended_by="subscriber",
        subscriber=_("Something in the form is missing or not right."),
        support=_("The person's input was not accepted; the fields and reasons were shown to them."),
        engineer=_("A form or serializer rejected the input; the field errors are in the response."),
        action=_("Correct the marked fields and send the form again."),
    ),
    Cause(
        code="NOT_AUTHENTICATED",
        area="people",
        severity="info",
        mended_by="subscriber",
        subscriber=_("You are not signed in, or your session has ended."),
        support=_("The request came without a valid session or token."),
        engineer=_(
            "No authentication class accepted the request; a token may be missing, expired or revoked."
        ),
        action=_("Sign in again, or send a valid token in the Authorization header."),
    ),
    Cause(
        code="CREDENTIALS_WRONG",
        area="people",
        severity="warning",
        mended_by="subscriber",
        subscriber=_("The e-mail address and the password do not belong together."),
        support=_("A sign-in failed because the address or the password was wrong."),
        engineer=_("Every authentication backend rejected the credentials."),
        action=_("Check the address, type the password again, or ask for a new password."),
    ),
    Cause(
        code="EMAIL_UNCONFIRMED",
        area="people",
        severity="info",
        mended_by="subscriber",
        subscriber=_("Your e-mail address is not confirmed yet."),
        support=_("The person has not yet opened the link in the confirmation mail."),
        engineer=_("The primary address of the user is not verified, so the sign-in was not completed."),
        action=_(
            "Open the link in the e-mail we sent, or ask for a new one and look in the spam folder too."
        ),
    ),
    Cause(
        code="EMAIL_TAKEN",
        area="people",
        severity="info",
        mended_by="subscriber",
        subscriber=_("There is already an account with this e-mail address."),
        support=_("The person tried to sign up with an address that has an account."),
        engineer=_("The e-mail violates its unique constraint without regard to case."),
        action=_("Sign in with this address, or ask for a new password if you forgot it."),
    ),
    Cause(
        code="PERMISSION_DENIED",
        area="people",
        severity="warning",
        mended_by="staff",
        subscriber=_("You are not allowed to do this."),
        support=_("The person's role does not include this action."),
        engineer=_("A permission check of the view or service said no to this user and object."),
        action=_("Ask an administrator of the operator for a role that includes it."),
    ),
    Cause(
        code="NOT_FOUND",
        area="people",
        severity="info",
        mended_by="subscriber",
        subscriber=_("We could not find what you asked for, or it does not belong to you."),
        support=_("The thing does not exist or lies outside of what the person may see."),
        engineer=(
            _(
                "The lookup in the user's visible rows found nothing; foreign rows look the same as missing ones."
            )
        ),
        action=_("Check the address or the name, and begin again from your list."),
    ),
    Cause(
        code="THROTTLED",
        area="people",
        severity="warning",
        mended_by="subscriber",
        subscriber=_("That was too often in a short time."),
        support=_("The person or program made more attempts than are allowed and must wait."),
        engineer=_("A rate limit was reached; Retry-After says how long it lasts."),
        action=_("Wait a few minutes and then try again."),
    ),
    Cause(
        code="OPERATOR_CLOSED",
        area="people",
        severity="info",
        mended_by="staff",
        subscriber=_("This operator does not accept new customers at the moment."),
        support=_("The operator is closed for sign-up or not active."),
        engineer=_("The operator's is_open_for_signup or is_active is off."),
        action=_("Choose another operator, or ask this one when it opens again."),
    ),
    Cause(
        code="SETTING_INVALID",
        area="people",
        severity="error",
        mended_by="engineer",
        subscriber=_("The service is not set up correctly at the moment."),
        support=_("A setting of the portal is wrong, which only its administrator can change."),
        engineer=(
            _(
                "An environment variable or stored setting has a value that cannot be used; its name is in the "
                "detail."
            )
        ),
        action=_("Correct the named setting as the settings page describes, and restart the portal."),
    ),
    Cause(
        code="CONFLICT",
        area="people",
        severity="info",
        mended_by="subscriber",
        subscriber=_("Something changed in the meantime, so this is no longer possible as asked."),
        support=_("Two actions met, or the thing is in a state that does not allow this one."),
        engineer=_(
            "The row's current state does not allow the move, or it changed since the client read it."
        ),
        action=(
            _(
                "Load the page again, look at the current state, and repeat the action if it still makes sense."
            )
        ),
    ),
    Cause(
        code="CLIENT_REQUEST_MALFORMED",
        area="people",
        severity="info",
        mended_by="engineer",
        subscriber=_("The program that you use sent us something that we could not read."),
        support=_("A client program sent a request that is not well formed."),
        engineer=_("The HTTP request's body, media type, method or query could not be parsed."),
        action=_("Correct the client according to the interface description at /api/docs/."),
    ),
    Cause(
        code="REQUEST_TOO_LARGE",
        area="people",
        severity="info",
        mended_by="subscriber",
        subscriber=_("What was sent is larger than the portal takes in one request."),
        support=_("A request body was over the size that the portal reads."),
        engineer=_("The body exceeds DATA_UPLOAD_MAX_MEMORY_SIZE, or has too many fields or files."),
        action=_("Send less in one request."),
    ),
    Cause(
        code="PORTAL_STORE_AWAY",
        area="people",
        severity="error",
        mended_by="engineer",
        subscriber=_(
            "The portal cannot read or store anything at the moment; nothing that was stored is lost."
        ),
        support=_(
            "The database or Redis was away, full or read-only, so a page or a REST request was answered 503."
        ),
        engineer=_(
            "A request ended in an OperationalError, a read-only transaction or a lost Redis connection."
        ),
        action=_("Try again in a minute."),
    ),
    Cause(
        code="REASON_MISSING",
        area="people",
        severity="info",
        mended_by="staff",
        subscriber=_("Somebody at your operator has to say why before this is done to your device."),
        support=_("What was asked for may cut the device off, so it needs a reason; none was given."),
        engineer=_(
            "The table in devices.commands.dangers holds the operation, and the request came without a reason."
        ),
        action=_("Say why, and send it again."),
    ),
    Cause(
        code="QUOTA_REACHED",
        area="people",
        severity="warning",
        mended_by="staff",
        subscriber=_("You have as many of these as one account may have."),
        support=_("A limit of the portal's settings is reached, so nothing more was added."),
        engineer=_("A count against one of the *_LIMIT settings was not below it; see docs/settings.md."),
        action=_("Remove what is not needed any more, or ask whoever runs the portal to raise the limit."),
    ),
)
