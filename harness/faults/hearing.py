"""Whether a seat answers when it is asked from another node: the proof of faults that the control plane sees late."""

from __future__ import annotations

from dataclasses import dataclass

from harness.errors import HarnessError, ObservationError
from harness.sut import Sut
from harness.sut.names import kind_of

#: A healthy instance answers within milliseconds; one that needs longer than this is not there for Sentinel either.
ANSWER_S = 1

#: Prints what the other one answers and then, as a control, what the asking seat's own instance does.
QUESTION = (
    'timeout {seconds} redis-cli -h "$1" -p {port} PING 2>&1; echo "---"; timeout {seconds} redis-cli -p {port} PING'
)


@dataclass(frozen=True, slots=True)
class Listener:
    """A seat that asks another one of its kind over the network."""

    sut: Sut
    seat: str
    target: str
    address: str

    def hears(self) -> bool:
        """Whether the target answers PONG within a second.

        Raises ObservationError when the asking instance does not answer itself: then its silence would prove nothing.
        """
        port = kind_of(self.seat).port
        script = QUESTION.format(seconds=ANSWER_S, port=port)
        done = self.sut.run(self.seat, ["sh", "-c", script, "ask", self.address], seconds=2 * ANSWER_S + 2)
        other, _, own = done.stdout.partition("---")
        if "PONG" not in own:
            raise ObservationError(f"{self.seat} cannot listen to {self.target}: it does not answer itself: {own!r}")
        return "PONG" in other


def listener_for(sut: Sut, target: str) -> Listener:
    """Return a listener on another node that hears `target` now, or the last one that might.

    Raises ObservationError when there is no seat of that kind on another node that answers itself.
    """
    pods = {pod.seat: pod for pod in sut.pods()}
    if target not in pods or not pods[target].ip:
        raise ObservationError(f"{target} has no address to be asked at")
    node, address = pods[target].node, pods[target].ip
    kind = kind_of(target).stateful_set
    others = [seat for seat, pod in pods.items() if kind_of(seat).stateful_set == kind and pod.node != node]
    well: list[Listener] = []
    reasons: list[str] = []
    for seat in others:
        listener = Listener(sut, seat, target, address)
        try:
            if listener.hears():
                return listener
        except HarnessError as error:
            reasons.append(str(error))
        else:
            well.append(listener)
    if not well:
        raise ObservationError(f"nobody can listen to {target}: {'; '.join(reasons) or 'no other seat of its kind'}")
    return well[-1]
