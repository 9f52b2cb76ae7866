"""The kinds of ledger events, each with its words: the one list that whoever records and whoever reads goes by.

A code is never renamed or given another meaning once it stands in a ledger. `manage.py ledger_actions` prints them as
they stand in docs/ledger.md.
"""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class Action(models.TextChoices):
    DEVICE_ADDED = "device.added", _("Device added")
    DEVICE_RETIRED = "device.retired", _("Device released")
    DEVICE_SUSPENDED = "device.suspended", _("Device suspended")
    DEVICE_RESUMED = "device.resumed", _("Device resumed")
    DEVICE_BARRED = "device.barred", _("Device barred")
    DEVICE_RENAMED = "device.renamed", _("Device renamed")
    DEVICE_ENDPOINT_CORRECTED = "device.endpoint_corrected", _("Endpoint name corrected")
    DEVICE_NUMBER_CHANGED = "device.number_changed", _("Phone number changed")
    DEVICE_NUMBER_CONFIRMED = "device.number_confirmed", _("Phone number confirmed by its first SMS")
    DEVICE_AWAKE_WINDOW = "device.awake_window", _("Time that it listens changed")
    DEVICE_DESCRIBED = "device.described", _("Device told what it is")
    DEVICE_PROVISIONING = "device.provisioning", _("Set-up state changed")
    DEVICE_FIRST_ONLINE = "device.first_online", _("Device online for the first time")
    DEVICE_REFUSED = "device.refused", _("Device refused")
    DEVICE_SMS_BUDGET_SPENT = "device.sms_budget_spent", _("SMS budget of the day spent")
    DEVICE_SMS_EXPIRED = "device.sms_expired", _("SMS expired")
    DEVICE_SMS_REFUSED = "device.sms_refused", _("SMS refused")
    DEVICE_SMS_UNDELIVERED = "device.sms_undelivered", _("SMS not delivered")
    DEVICE_TRIGGERED = "device.triggered", _("Device asked by SMS to report")
    DEVICE_TRIGGER_ANSWERED = "device.trigger_answered", _("Device answered an SMS that asked it to")

    CREDENTIAL_MADE = "credential.made", _("Key made")
    CREDENTIAL_READ = "credential.read", _("Key read by the portal")
    CREDENTIAL_FIRST_USED = "credential.first_used", _("Key used for the first time")
    CREDENTIAL_RETIRED = "credential.retired", _("Key retired")

    REGISTRATION_REGISTERED = "registration.registered", _("Device registered")
    REGISTRATION_REPLACED = "registration.replaced", _("Device registered anew")
    REGISTRATION_UPDATED = "registration.updated", _("Registration changed")
    REGISTRATION_DEREGISTERED = "registration.deregistered", _("Device signed off")
    REGISTRATION_EXPIRED = "registration.expired", _("Registration ran out")
    REGISTRATION_ENDED = "registration.ended", _("Registration ended by the portal")
    REGISTRATION_ADDRESS_ENDED = "registration.address_ended", _("Address taken by another device")

    BOOTSTRAP_STARTED = "bootstrap.started", _("Bootstrap began")
    BOOTSTRAP_ENDED = "bootstrap.ended", _("Bootstrap ended")
    BOOTSTRAP_SUPERSEDED = "bootstrap.superseded", _("Bootstrap begun anew by the device")

    COMMAND_QUEUED = "command.queued", _("Command given")
    COMMAND_DONE = "command.done", _("Command done")
    COMMAND_REFUSED = "command.refused", _("Command refused by the device")
    COMMAND_SILENT = "command.silent", _("Command not answered")
    COMMAND_EXPIRED = "command.expired", _("Command expired")
    COMMAND_CANCELLED = "command.cancelled", _("Command withdrawn")

    GATEWAY_END_DEVICES = "gateway.end_devices", _("Gateway told which devices are behind it")
    GATEWAY_TOOK = "gateway.took", _("Devices behind the gateway taken")
    GATEWAY_DISMISSED = "gateway.dismissed", _("Devices behind the gateway left out")
    GATEWAY_OFFERED_AGAIN = "gateway.offered_again", _("Devices behind the gateway offered again")

    END_DEVICE_ADOPTED = "end_device.adopted", _("Found behind a gateway")
    END_DEVICE_MOVED = "end_device.moved", _("Moved to another gateway")
    END_DEVICE_GONE = "end_device.gone", _("Not told of by its gateway any more")
    END_DEVICE_BACK = "end_device.back", _("Told of by its gateway again")
    END_DEVICE_ROUTED = "end_device.routed", _("Got another prefix at its gateway")

    REACH_MISSED = "reach.missed", _("Contact missed")
    REACH_TAKEN = "reach.taken", _("Device looked for")
    REACH_SKIPPED = "reach.skipped", _("Step of the ladder left out")
    REACH_TICKET = "reach.ticket", _("Device not reached: over to the support desk")
    REACH_REACHED = "reach.reached", _("Device heard again")
    REACH_CANCELLED = "reach.cancelled", _("Device no longer looked for")
    REACH_POLICY = "reach.policy", _("Reach policy changed")

    JOB_CREATED = "job.created", _("Job created")
    JOB_DONE = "job.done", _("Job done")
    JOB_FAILED = "job.failed", _("Job failed")
    JOB_CANCELLED = "job.cancelled", _("Job cancelled")
    JOB_STEP_RUNNING = "job.step_running", _("Step begun")
    JOB_STEP_WAITING = "job.step_waiting", _("Step waits")
    JOB_STEP_DONE = "job.step_done", _("Step done")
    JOB_STEP_SKIPPED = "job.step_skipped", _("Step not needed")
    JOB_STEP_FAILED = "job.step_failed", _("Step failed")

    SIGNIN_OK = "signin.ok", _("Signed in")
    SIGNIN_FAILED = "signin.failed", _("Sign-in failed")
    SIGNIN_ENDED = "signin.ended", _("Signed out")

    TOKEN_ENDED = "token.ended", _("API token taken away")

    PASSWORD_CHANGED = "password.changed", _("Password changed")

    EMAIL_CONFIRMED = "email.confirmed", _("E-mail address confirmed")

    USER_CREATED = "user.created", _("Person made")
    USER_SIGNED_UP = "user.signed_up", _("Signed up")
    USER_CHANGED = "user.changed", _("Person changed")
    USER_RENAMED = "user.renamed", _("Person renamed")
    USER_TIME_ZONE_SET = "user.time_zone_set", _("Time zone set")

    SUBSCRIBER_OPENED = "subscriber.opened", _("Account opened")
    SUBSCRIBER_CLOSED = "subscriber.closed", _("Account closed")
    SUBSCRIBER_SUSPENDED = "subscriber.suspended", _("Account suspended")
    SUBSCRIBER_RESUMED = "subscriber.resumed", _("Account active again")

    STAFF_INVITED = "staff.invited", _("Invited to the staff")
    STAFF_ROLE_GRANTED = "staff.role_granted", _("Role given")
    STAFF_ROLE_CHANGED = "staff.role_changed", _("Role changed")
    STAFF_ROLE_REMOVED = "staff.role_removed", _("Role taken back")
    STAFF_INVITATION_DECLINED = "staff.invitation_declined", _("Invitation to the staff declined")
    STAFF_INVITATION_WITHDRAWN = "staff.invitation_withdrawn", _("Invitation to the staff withdrawn")

    OPERATOR_CREATED = "operator.created", _("Operator made")
    OPERATOR_CHANGED = "operator.changed", _("Operator changed")

    BOOTSTRAP_PROFILE_MADE = "bootstrap_profile.made", _("Bootstrap profile made")
    BOOTSTRAP_PROFILE_CHANGED = "bootstrap_profile.changed", _("Bootstrap profile changed")
    BOOTSTRAP_PROFILE_REMOVED = "bootstrap_profile.removed", _("Bootstrap profile removed")

    SMSC_LINK_CHANGED = "smsc_link.changed", _("SMSC link changed")
    SMSC_LINK_REMOVED = "smsc_link.removed", _("SMSC link removed")
    SMSC_LINK_MADE = "smsc_link.made", _("SMSC link made")
    SMSC_LINK_TRIED = "smsc_link.tried", _("SMSC link tried anew")
    SMSC_LINK_BOUND = "smsc_link.bound", _("SMSC link up")
    SMSC_LINK_LOST = "smsc_link.lost", _("SMSC link lost")
    SMSC_LINK_REFUSED = "smsc_link.refused", _("SMSC link refused")

    AUDIT_PERSONAL_ERASED = "audit.personal_erased", _("Personal data erased")

    SECRETS_RESEALED = "secrets.resealed", _("Secrets encrypted anew")

    HISTORY_RETENTION = "history.retention", _("Retention of values changed")

    PACKAGE_UPLOADED = "package.uploaded", _("Package uploaded")
    PACKAGE_REMOVED = "package.removed", _("Package removed")
    PACKAGE_FETCHED = "package.fetched", _("Package fetched by a device")

    VALUES_REFUSED = "values.refused", _("Values not kept")

    OBJECT_DEFINITION_LOADED = "object_definition.loaded", _("Object definition loaded")
    OBJECT_DEFINITION_REPLACED = "object_definition.replaced", _("Object definition replaced")
    OBJECT_DEFINITION_REFUSED = "object_definition.refused", _("Object definition refused")
    OBJECT_DEFINITION_REMOVED = "object_definition.removed", _("Object definition removed")

    OBSERVATION_WANTED = "observation.wanted", _("Observation ordered")
    OBSERVATION_ENDED = "observation.ended", _("Observation ended")


def words(code: str) -> str:
    """Of a code of this list; one of an older ledger is shown readably as it is."""
    try:
        return str(Action(code).label)
    except ValueError:
        return code.replace(".", " ").replace("_", " ").capitalize()
