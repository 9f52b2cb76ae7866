"""Draws what changes on the page: the same fragments on the first load and on every change."""

from __future__ import annotations

from typing import Any

from django.template.loader import render_to_string

from backoffice.manage import chart, messages, presence, queue, tree
from backoffice.manage.facts import Facts
from backoffice.manage.node import Node

_HERE = "backoffice/manage/manage"


def context(facts: Facts, *, may_act: bool) -> dict[str, Any]:
    """For the whole page and each of its fragments."""
    waiting, ended = queue.of(facts)
    return {
        "device": facts.device,
        "presence": presence.of(facts),
        "tree": tree.build(facts),
        "waiting": waiting,
        "ended": ended,
        "messages_traced": messages.of(facts),
        "may_act": may_act,
    }


def node_context(facts: Facts, node: Node, *, may_act: bool) -> dict[str, Any]:
    return {"device": facts.device, "node": node, "may_act": may_act, "spans": chart.SPANS}


class Parts:
    """What one open page shows; gives the fragments that became different."""

    def __init__(self) -> None:
        self._sent: dict[str, str] = {}

    def of(self, facts: Facts, *, may_act: bool) -> list[tuple[str, str]]:
        """(element id, html)"""
        said = context(facts, may_act=may_act)
        drawn = {
            "manage-state": render_to_string(f"{_HERE}_state.html", said),
            "manage-queue": render_to_string(f"{_HERE}_queue.html", said),
            "manage-trace": render_to_string(f"{_HERE}_trace.html", said),
        }
        instances = {
            f"instance-{one.key}": render_to_string(f"{_HERE}_instance.html", {**said, "instance": one})
            for thing in said["tree"]
            for one in thing.instances
        }
        before, self._sent = self._sent, {**drawn, **instances}
        if before.keys() != self._sent.keys():  # the device told of another list of objects
            return [*drawn.items(), ("manage-tree", render_to_string(f"{_HERE}_tree.html", said))]
        return [(target, html) for target, html in self._sent.items() if html != before[target]]
