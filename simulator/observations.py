"""Observe and Notify for one server (`RFC 7641`, `OMA-TS-LightweightM2M_Core 6.4`)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

from lwm2m.codes import Code
from lwm2m.errors import Lwm2mError
from lwm2m.nodes import Value
from lwm2m.paths import Path
from simulator.answers import Answer
from simulator.attributes import Conditions
from simulator.objects import Listener

MAX_OBSERVATIONS = 32
POLL_SECONDS = 1.0
"""How often a sensor is looked at while somebody observes it; pmin makes it rarer."""

CONFIRMED_EVERY = 20
"""One notification in so many is confirmable (`RFC 7641 section 4.5` wants one a day at least)."""


@dataclass(frozen=True, slots=True)
class Topic:
    """What is read or observed: paths and the wished format; ``is_composite`` for FETCH.

    ``prefixes``, one for each path, are the end devices that a composite request to a gateway names.
    """

    paths: tuple[Path, ...]
    accept: int | None
    is_composite: bool
    prefixes: tuple[str, ...] = ()
    attributes: tuple[tuple[str, float], ...] = ()
    """What the Observe itself asks for (1.2); it goes before what was written to the path."""


class Watched(Protocol):
    """What can be observed: the tree of a device, or a gateway with its children."""

    listeners: list[Listener]

    def sensors(self, path: Path) -> bool: ...

    def value(self, object_id: int, instance_id: int, resource_id: int) -> Value: ...


Notify = Callable[[bytes, Answer, bool, Callable[[], None]], None]
"""Sends: token, answer, whether it is confirmable, and what to do when the server does not want it any more."""


class _Observation:
    __slots__ = ("conditions", "has_sensor", "last", "number", "said_at", "timer", "token", "topic", "value")

    def __init__(self, token: bytes, topic: Topic) -> None:
        self.token = token
        self.topic = topic
        self.number = 1
        self.said_at = 0.0
        self.last: Answer | None = None
        self.value: Value = None
        self.conditions = Conditions()
        self.has_sensor = False
        self.timer: asyncio.TimerHandle | None = None


class Observations:
    """Watches the tree for one server and notifies it.

    ``read`` makes the answer of a topic, ``conditions`` says when to speak, ``notify`` sends.
    """

    def __init__(
        self,
        *,
        tree: Watched,
        read: Callable[[Topic], Answer],
        conditions: Callable[[Path], Conditions],
        notify: Notify,
        confirmable: bool = False,
    ) -> None:
        self._tree = tree
        self._read = read
        self._conditions = conditions
        self._notify = notify
        self._confirmable = confirmable
        self._loop = asyncio.get_running_loop()
        self._by_token: dict[bytes, _Observation] = {}

    def __len__(self) -> int:
        return len(self._by_token)

    def add(self, token: bytes, topic: Topic) -> Answer:
        """Begin to observe and answer with the first value; the same token again replaces the observation."""
        answer = self._read(topic)
        self.remove(token)
        if len(self._by_token) >= MAX_OBSERVATIONS:
            return answer  # without Observe: the server learns that it has to ask again
        observation = self._by_token[token] = _Observation(token, topic)
        self._set_conditions(observation)
        self._said(observation, answer)
        if len(self._by_token) == 1:
            self._tree.listeners.append(self.changed)
        return replace(answer, observe=observation.number)

    def remove(self, token: bytes) -> None:
        """Observe=1, RST, or a notification that was never acknowledged."""
        observation = self._by_token.pop(token, None)
        if observation is None:
            return
        if observation.timer is not None:
            observation.timer.cancel()
        if not self._by_token:
            self._tree.listeners.remove(self.changed)

    def clear(self) -> None:
        """Forget everything: de-registered, registered anew, or switched off (R-08)."""
        for token in list(self._by_token):
            self.remove(token)

    def reconsider(self, path: Path) -> None:
        """Attributes at ``path`` were written."""
        for observation in self._concerned(path):
            self._set_conditions(observation)
            self._schedule(observation)

    def changed(self, path: Path) -> None:
        """Something was written at ``path``: say so to whom it concerns, when it is time."""
        for observation in self._concerned(path):
            self._consider(observation)

    def _concerned(self, path: Path) -> list[_Observation]:
        return [
            observation
            for observation in self._by_token.values()
            if any(own.contains(path) or path.contains(own) for own in observation.topic.paths)
        ]

    def _set_conditions(self, observation: _Observation) -> None:
        paths = observation.topic.paths
        asked = dict(observation.topic.attributes)
        found = [self._conditions(path).with_(asked) for path in paths] or [Conditions()]
        limits = [each.pmax for each in found if each.pmax is not None]
        if len(paths) == 1:
            observation.conditions = found[0]
        else:
            observation.conditions = Conditions(max(each.pmin for each in found), min(limits, default=None))
        observation.has_sensor = any(self._tree.sensors(path) for path in paths)

    # -- when to speak -------------------------------------------------------------------------------------

    def _consider(self, observation: _Observation) -> None:
        now = self._loop.time()
        conditions = observation.conditions
        try:
            answer = self._read(observation.topic)
        except Lwm2mError as error:
            self._gone(observation, error.code)
            return
        silent_for = now - observation.said_at
        is_overdue = conditions.pmax is not None and silent_for >= conditions.pmax
        if silent_for >= conditions.pmin and (is_overdue or self._is_news(observation, answer)):
            self._say(observation, answer)
        else:
            self._schedule(observation)

    def _is_news(self, observation: _Observation, answer: Answer) -> bool:
        if observation.last is not None and observation.last.payload == answer.payload:
            return False
        conditions = observation.conditions
        if not conditions.has_steps:
            return True
        old, new = observation.value, self._value(observation.topic)
        if not isinstance(old, int | float) or not isinstance(new, int | float):
            return True
        crossed = [
            (old <= limit) != (new <= limit) for limit in (conditions.gt, conditions.lt) if limit is not None
        ]
        return any(crossed) or (conditions.st is not None and abs(new - old) >= conditions.st)

    def _value(self, topic: Topic) -> Value:
        path = topic.paths[0]
        return self._tree.value(*path.ids) if path.depth == 3 and len(topic.paths) == 1 else None

    def _schedule(self, observation: _Observation) -> None:
        """Look again when pmin or pmax is over, or soon where a sensor moves by itself."""
        if observation.timer is not None:
            observation.timer.cancel()
            observation.timer = None
        now, conditions = self._loop.time(), observation.conditions
        times = []
        if now < observation.said_at + conditions.pmin:
            times.append(observation.said_at + conditions.pmin)
        if conditions.pmax is not None:
            times.append(observation.said_at + conditions.pmax)
        if observation.has_sensor:
            times.append(now + max(conditions.pmin, POLL_SECONDS))
        if times:
            observation.timer = self._loop.call_at(max(min(times), now), self._consider, observation)

    # -- speaking ------------------------------------------------------------------------------------------

    def _say(self, observation: _Observation, answer: Answer) -> None:
        observation.number = (observation.number + 1) & 0xFFFFFF
        self._said(observation, answer)
        self._send(observation, replace(answer, observe=observation.number))

    def _said(self, observation: _Observation, answer: Answer) -> None:
        observation.last = answer
        observation.value = self._value(observation.topic)
        observation.said_at = self._loop.time()
        self._schedule(observation)

    def _send(self, observation: _Observation, answer: Answer) -> None:
        token = observation.token
        confirmable = self._confirmable or observation.number % CONFIRMED_EVERY == 0
        self._notify(token, answer, confirmable, lambda: self.remove(token))

    def _gone(self, observation: _Observation, code: Code) -> None:
        """What was observed is no more: an error notification ends it (`RFC 7641 section 4.2`)."""
        self.remove(observation.token)
        self._notify(observation.token, Answer(code), True, lambda: None)
