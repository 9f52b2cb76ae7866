"""Every list of the admin under its heading, in the order in which the index shows them. A new list is a line here."""

from __future__ import annotations

from allauth.account.models import EmailAddress
from django.contrib import admin
from django.utils.translation import gettext_lazy as _
from knox.models import AuthToken

from accounts.models import BulkJob, Operator, StaffMembership, Subscriber, User
from audit.models import LedgerEvent
from backoffice.bulk_jobs import BulkJobAdmin
from backoffice.commands import CommandAdmin
from backoffice.devices import DeviceAdmin
from backoffice.end_devices import EndDeviceAdmin
from backoffice.jobs import JobAdmin
from backoffice.knocks import KnockAdmin
from backoffice.ledger import LedgerEventAdmin
from backoffice.object_definitions import ObjectDefinitionAdmin
from backoffice.operators import OperatorAdmin
from backoffice.packages import PackageAdmin
from backoffice.people import AuthTokenAdmin, EmailAddressAdmin, UserAdmin
from backoffice.profiles import BootstrapProfileAdmin
from backoffice.reach_attempts import ReachAttemptAdmin
from backoffice.reach_policies import ReachPolicyAdmin
from backoffice.registrations import RegistrationAdmin
from backoffice.sessions import BootstrapSessionAdmin
from backoffice.site import PortalAdminSite
from backoffice.sms import SmscLinkAdmin, SmsMessageAdmin, SmsPartAdmin
from backoffice.staff import StaffMembershipAdmin
from backoffice.subscribers import SubscriberAdmin
from devices.commands.models import Command
from devices.gateways.models import EndDevice
from devices.inventory.models import Device, Knock, ObjectDefinition
from devices.messaging.models import SmscLink, SmsMessage, SmsPart
from devices.packages.models import Package
from devices.registry.models import Registration
from provisioning.ladder import ReachAttempt, ReachPolicy
from provisioning.models import BootstrapProfile, BootstrapSession, Job

site: PortalAdminSite = admin.site  # type: ignore[assignment]  # a proxy of it

site.show(_("Devices"), {Device: DeviceAdmin, Registration: RegistrationAdmin, Knock: KnockAdmin})
site.show(
    _("Management"),
    {Command: CommandAdmin, ObjectDefinition: ObjectDefinitionAdmin, Package: PackageAdmin},
)
site.show(_("Gateways"), {EndDevice: EndDeviceAdmin})
site.show(_("SMS"), {SmsMessage: SmsMessageAdmin, SmsPart: SmsPartAdmin, SmscLink: SmscLinkAdmin})
site.show(
    _("Provisioning"),
    {Job: JobAdmin, BootstrapSession: BootstrapSessionAdmin, BootstrapProfile: BootstrapProfileAdmin},
)
site.show(_("Reachability"), {ReachAttempt: ReachAttemptAdmin, ReachPolicy: ReachPolicyAdmin})
site.show(
    _("People"),
    {
        Subscriber: SubscriberAdmin,
        StaffMembership: StaffMembershipAdmin,
        Operator: OperatorAdmin,
        User: UserAdmin,
        EmailAddress: EmailAddressAdmin,
        AuthToken: AuthTokenAdmin,
    },
)
site.show(_("Trail"), {LedgerEvent: LedgerEventAdmin, BulkJob: BulkJobAdmin})
