"""Causes of the reachability ladder: a contact that did not come, and rungs that cannot be taken."""

from django.utils.translation import gettext_lazy as _

from audit.catalogue.cause import Cause

CAUSES = (
    Cause(
        code="CONTACT_MISSED",
        area="reach",
        severity="warning",
        mended_by="nobody",
        subscriber=_("Your device has not called when it should have, and we are trying to reach it."),
        support=_("The device missed its contact; the portal takes the steps of the operator's policy."),
        engineer=_(
            "No message renewed the registration before its lifetime, less the policy's early seconds, was over."
        ),
        action=_("Wait for the next steps, or look at the power and the reception of the device."),
    ),
    Cause(
        code="DEVICE_UNREACHABLE_TICKET",
        area="reach",
        severity="error",
        mended_by="staff",
        subscriber=_("We could not reach your device by any way we have, and our support knows of it."),
        support=_(
            "What the operator's policy could do for this device was done, and the device did not answer."
        ),
        engineer=_(
            "The reach attempt ran out of rungs without an uplink; the timeline has what was tried and left out."
        ),
        action=_(
            "Ask the subscriber about power, reception and SIM card; the portal goes on by itself once it calls."
        ),
    ),
    Cause(
        code="DEVICE_UNTRIED_TICKET",
        area="reach",
        severity="error",
        mended_by="staff",
        subscriber=_(
            "Your device has not called when it should have, and there is no way to wake it from here."
        ),
        support=_("The device missed its contact, and no step of the operator's policy could be tried."),
        engineer=_("Every rung of the reach attempt was left out; the timeline has the cause of each."),
        action=_(
            "Ask the subscriber about power, reception and SIM card; the portal goes on by itself once it calls."
        ),
    ),
    Cause(
        code="NO_STANDING_REGISTRATION",
        area="reach",
        severity="info",
        mended_by="nobody",
        subscriber=_("Your device has to sign in again before we can send it anything."),
        support=_("Nothing can be sent over IP because the device's registration is over."),
        engineer=_(
            "The registration row is not live, so an Execute has no flow and no security context to go over."
        ),
        action=_("Nothing; the next step of the policy follows at once."),
    ),
    Cause(
        code="TRIGGER_UNSUPPORTED",
        area="reach",
        severity="info",
        mended_by="nobody",
        subscriber=_("Your device cannot be asked in this way."),
        support=_("The device does not offer this trigger, so that step was left out."),
        engineer=_(
            "No instance of /1 was announced, /1/x/9 is newer than the device, or it never bootstraps."
        ),
        action=_("Nothing; the next step of the policy follows at once."),
    ),
    Cause(
        code="NOT_BEHIND_GATEWAY",
        area="reach",
        severity="info",
        mended_by="nobody",
        subscriber=_("Your device connects by itself and not by way of another."),
        support=_("The device is not behind an M2M gateway, so no gateway was asked."),
        engineer=_("No EndDevice row leads from this device to a gateway."),
        action=_("Nothing; the next step of the policy follows at once."),
    ),
    Cause(
        code="REACH_BUDGET_SPENT",
        area="reach",
        severity="info",
        mended_by="staff",
        subscriber=_("We do not send your device more messages today."),
        support=_("The operator's policy allows no further SMS to wake this device within 24 hours."),
        engineer=_("The attempts of the last 24 hours have spent ReachPolicy.sms_per_day for this device."),
        action=_(
            "Raise the number in the operator's reach policy, or look at why the device is lost so often."
        ),
    ),
)
