"""The page itself, and the two things it sends: something is asked of the device, a command is cancelled."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext

from accounts import tenancy
from accounts.errors import Refused
from backoffice.manage import facts as reading
from backoffice.manage import node as nodes
from backoffice.manage import parts, presence
from backoffice.manage.asks import Ask
from backoffice.manage.facts import Facts
from devices.commands import dangers
from devices.commands.dangers import Asker
from devices.commands.models import Command, Operation
from devices.commands.services import mailbox
from devices.inventory.models import Device, Reach
from devices.operations.services import operations
from devices.registry import awake
from devices.registry.selectors import present
from devices.registry.services import awake_windows
from lwm2m.paths import Path

ACT = "commands.add_command"
_ON_ROWS = (Operation.READ, Operation.OBSERVE, Operation.CANCEL_OBSERVE)


def show(model_admin: Any, request: HttpRequest, device_id: int) -> HttpResponse:
    """GET: the page, with the node of the address in its panel."""
    return _page(model_admin, request, reading.of(_device(model_admin, request, device_id)))


def ask(model_admin: Any, request: HttpRequest, device_id: int) -> HttpResponse:
    """POST: `row` is "read /3/0/9" of a button in the tree; else `ask` and `path` of a form in the panel."""
    device = _device(model_admin, request, device_id)
    _must_act(request, device)
    facts = reading.of(device)
    if "row" in request.POST:
        return _from_row(model_admin, request, facts)
    path = nodes.parse(request.POST.get("path", ""))
    if path is None:
        raise Http404("There is no such path.")
    form = nodes.forms(facts, nodes.of(facts, path), request.POST).get(request.POST.get("ask", ""))
    if form is None:
        raise Http404("This cannot be asked of this node.")
    if form.is_valid():
        try:
            command = _request(
                request, facts, str(form.operation), form.place(path), form.said(), form.reason
            )
        except Refused as refusal:
            if refusal.cause == dangers.REASON_MISSING:
                form.ask_why()
            form.add_error(refusal.field if refusal.field in form.fields else None, refusal.detail)
        else:
            _say(request, facts, command)
            return _back(request, device, path)
    return _page(model_admin, request, facts, path=path, sent=form)


def cancel(model_admin: Any, request: HttpRequest, device_id: int) -> HttpResponse:
    """POST: `command` is taken back."""
    device = _device(model_admin, request, device_id)
    _must_act(request, device)
    number = request.POST.get("command", "")
    is_number = number.isascii() and number.isdigit()
    command = device.commands.filter(pk=number).first() if is_number else None
    if command is None:
        raise Http404("There is no such command of this device.")
    if mailbox.cancel(command_id=command.pk, reason="Cancelled on the page of the device"):
        messages.success(request, gettext("%(command)s is cancelled.") % {"command": command})
    else:
        messages.warning(request, gettext("%(command)s had ended already.") % {"command": command})
    return _back(request, device, nodes.parse(request.POST.get("node", "")))


def set_awake(model_admin: Any, request: HttpRequest, device_id: int) -> HttpResponse:
    """POST: `seconds` it listens after it spoke; empty: what the house has."""
    device = _device(model_admin, request, device_id)
    _must_act(request, device)
    text = request.POST.get("seconds", "").strip()
    try:
        if text and not (text.isascii() and text.isdigit()):
            raise Refused("AWAKE_SECONDS_NO_NUMBER", field="seconds", text=text)
        seconds = int(text[:9]) if text else None
        awake_windows.set_seconds(device=device, seconds=seconds)
    except Refused as refusal:
        messages.error(request, refusal.detail)
    else:
        listens = f"{seconds} s" if seconds else gettext("as long as devices do here")
        messages.success(
            request,
            gettext("%(device)s is taken to listen %(listens)s after it spoke.")
            % {"device": device, "listens": listens},
        )
    return _back(request, device, None)


def may_act(user: Any, facts: Facts) -> bool:
    """Whether this person may ask something of this device, as things stand with both."""
    return not present.is_shut_out(facts.standing) and tenancy.may(user, ACT, facts.device.operator_id)


def _may_endanger(user: Any, device: Device) -> bool:
    return tenancy.may(user, dangers.PERMISSION, device.operator_id)


def _naps(facts: Facts) -> bool:
    """It has a window of its own in which it listens; whatever is behind a gateway has the gateway's."""
    row = facts.registration
    return row is not None and row.queue_mode and facts.device.reach != Reach.GATEWAY


def _device(model_admin: Any, request: HttpRequest, device_id: int) -> Device:
    device = reading.rows(model_admin.get_queryset(request)).filter(pk=device_id).first()
    if device is None:
        raise Http404("There is no such device, or it is another operator's.")
    return device


def _must_act(request: HttpRequest, device: Device) -> None:
    if not tenancy.may(request.user, ACT, device.operator_id):
        raise PermissionDenied


def _from_row(model_admin: Any, request: HttpRequest, facts: Facts) -> HttpResponse:
    operation, _, text = request.POST["row"].partition(" ")
    path = nodes.parse(text)
    if path is None or operation not in _ON_ROWS:
        raise Http404("This cannot be asked of a row.")
    try:
        command = _request(request, facts, operation, path, {})
    except Refused as refusal:
        messages.error(request, refusal.detail)
    else:
        _say(request, facts, command)
    return _back(request, facts.device, nodes.parse(request.POST.get("node", "")))


def _request(
    request: HttpRequest,
    facts: Facts,
    operation: str,
    path: Path,
    arguments: dict[str, Any],
    reason: str = "",
) -> Command:
    """Raises Refused, also for what would be kept for a device whose gateway or operator is not served."""
    said = facts.verdict
    if present.is_shut_out(facts.standing) and said is not None and said.cause is not None:
        raise Refused("DEVICE_SHUT_OUT", words=said.words, action=said.action)
    return operations.request(
        device=facts.device,
        operation=operation,
        path=str(path),
        arguments=arguments,
        requested_by=f"user:{request.user.pk}",
        reason=reason,
        asker=Asker(may_endanger=_may_endanger(request.user, facts.device)),
    )


def _say(request: HttpRequest, facts: Facts, command: Command) -> None:
    how = (
        gettext("is on its way.")
        if presence.of(facts).listens
        else gettext("is kept until the device listens.")
    )
    # By this class the page finds the message again and puts the result in its place.
    messages.success(request, f"{command} {how}", extra_tags=f"command-{command.pk}")


def _back(request: HttpRequest, device: Device, path: Path | None) -> HttpResponse:
    place = reverse("admin:inventory_device_manage", args=[device.pk])
    return HttpResponseRedirect(f"{place}?{urlencode({'node': str(path)})}" if path else place)


def _page(
    model_admin: Any,
    request: HttpRequest,
    facts: Facts,
    *,
    path: Path | None = None,
    sent: Ask | None = None,
) -> HttpResponse:
    device = facts.device
    typed = request.GET.get("node", "")
    path = path or nodes.parse(typed)
    may = may_act(request.user, facts)
    node = nodes.of(facts, path, span=request.GET.get("span", "")) if path else None
    forms = nodes.forms(facts, node) if node and may else {}
    if not _may_endanger(request.user, device):
        forms = {name: form for name, form in forms.items() if not (form.danger and form.danger.needs_role)}
    if sent is not None:
        forms[str(sent.operation)] = sent
    context = {
        **model_admin.admin_site.each_context(request),
        **parts.context(facts, may_act=may),
        **(parts.node_context(facts, node, may_act=may) if node else {}),
        "title": gettext("Manage %(device)s") % {"device": device},
        "is_nav_sidebar_enabled": False,  # the tree needs the width
        "opts": model_admin.opts,
        "forms": forms,
        "not_a_path": typed if typed and not path else "",
        "socket": f"/ws/devices/{device.pk}/manage/",
        "house_seconds": awake.of_transport(facts.registration.transport) if _naps(facts) else None,
        "may_ask": tenancy.may(request.user, ACT, device.operator_id),
    }
    response = TemplateResponse(request, "backoffice/manage/manage.html", context)
    response.headers["Cache-Control"] = "no-store"
    return response
