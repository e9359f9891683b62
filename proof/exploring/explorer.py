"""Breadth first through every abstract state of the controller's step, with every letter, and strides beside them.

The real `controller.session.step` is what is driven; nothing here stands in for it. An abstract state is worked out
once, from the first concrete states that were found of it.
"""

from collections import Counter, defaultdict, deque
from dataclasses import dataclass, field
from typing import Final

from controller import session
from controller.inputs import Execute, Input, Output
from controller.state import State
from proof.exploring import world
from proof.exploring.abstraction import Abstract, abstracted, outline
from proof.exploring.alphabet import Letter, letters
from proof.exploring.history import NOTHING_PAST, History, remembered
from proof.exploring.motion_rules import letting_go_would_be_permitted
from proof.exploring.rules import broken_rules
from proof.exploring.strides import STRIDES, Stride, from_phase
from proof.exploring.transition import Transition, permits_in

STEPS_SHOWN: Final = 12
# The letters and strides of a session to its hold, of a trip there, and on the way out of it.
A_SESSION: Final = (
    "table found",
    "nothing happens",
    "start: complete",
    "all goes well",
    "the patient presses the switch and lets go",
    "all goes well",
    "all goes well",
    "sample: fresh, loaded, armed, emergency_stop",
    "let go, and 2 s slack",
    "acknowledge: the root",
)


@dataclass(frozen=True, slots=True)
class Node:
    """A concrete state, with what the checker remembers of the way to it."""

    state: State
    now_us: int
    history: History = NOTHING_PAST
    came: "Node | None" = None
    by: str = ""

    def way(self) -> list[str]:
        """The inputs that led here, the last ones."""
        names: list[str] = []
        node: Node | None = self
        while node is not None and node.by:
            if not names or names[-1] != node.by:
                names.append(node.by)
            node = node.came
        return names[::-1][-STEPS_SHOWN:]


@dataclass(frozen=True, slots=True)
class Breach:
    """A rule that a step broke: which, how, and on what way."""

    rule: str
    what: str
    way: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.rule}: {self.what} (after {' > '.join(self.way)})"


@dataclass(slots=True)
class Explored:
    """What came of it. `breaches`: the first of each rule and sentence."""

    states: Counter[str] = field(default_factory=Counter)  # by phase
    transitions: int = 0
    breaches: dict[tuple[str, str], Breach] = field(default_factory=dict)

    @property
    def holds(self) -> bool:
        return not self.breaches


class Explorer:
    """`one_thing_wrong`: with the smaller alphabet. `stop_at_breach`: only to the first rule broken."""

    def __init__(
        self, *, one_thing_wrong: bool = False, representatives: int = 1, stop_at_breach: bool = False
    ) -> None:
        self.explored = Explored()
        self._alphabet = letters(one_thing_wrong=one_thing_wrong)
        self._representatives = representatives
        self._stop_at_breach = stop_at_breach
        self._known: Counter[Abstract] = Counter()
        self._strode: set[tuple[str, Abstract]] = set()
        self._waiting: dict[Abstract, deque[Node]] = defaultdict(deque)
        self._worked_out: Counter[Abstract] = Counter()

    def run(self) -> Explored:
        begin = Node(world.NOTHING_YET, world.FIRST_US)
        self._meet(begin)
        self._walk_a_session(begin)
        while (node := self._next()) is not None and not self._is_over():
            for stride in from_phase(node.state.phase):
                self._stride(node, stride)
            for letter in self._alphabet:
                if self._is_over():
                    break
                self._spell(node, letter)
        return self.explored

    def _walk_a_session(self, node: Node) -> None:
        """So that what lies late in a session need not wait until all that lies before is worked out."""
        by_name = {letter.name: letter for letter in self._alphabet}
        strides = {stride.name: stride for stride in STRIDES}
        for name in A_SESSION:
            if name in strides:
                node = self._stride(node, strides[name])
            elif (taken := self._spell(node, by_name[name])) is not None:
                node = taken[0]

    def _spell(self, node: Node, letter: Letter) -> tuple[Node, tuple[Output, ...]] | None:
        return self.take(node, letter.of(node.state), letter.after_us, letter.name)

    def _next(self) -> Node | None:
        """The one that has waited longest, of the outline that had fewest turns: none waits for another's end."""
        outlines = [outlined for outlined, nodes in self._waiting.items() if nodes]
        if not outlines:
            return None
        outlined = min(outlines, key=self._worked_out.__getitem__)
        self._worked_out[outlined] += 1
        return self._waiting[outlined].popleft()

    def _is_over(self) -> bool:
        return self._stop_at_breach and bool(self.explored.breaches)

    def take(self, node: Node, given: Input, after_us: int, name: str) -> tuple[Node, tuple[Output, ...]] | None:
        """One step, judged; the node that it leads to. None where it raised."""
        now_us = node.now_us + after_us
        self.explored.transitions += 1
        try:
            after, outputs = session.step(node.state, given, now_us)
            again = session.step(node.state, given, now_us)
        except Exception as raised:  # noqa: BLE001 - whatever it is, a step must not
            self._note(node, name, "never_raises", f"{type(raised).__name__}: {raised}")
            return None
        if again[0] != after or not _same(again[1], outputs):
            self._note(node, name, "deterministic", "the same input in the same state gave something else")
        since, seen = remembered(node.history, given, now_us, after, outputs)
        happened = Transition(node.state, given, now_us, after, outputs, node.history, since, seen, permits_in(outputs))
        for rule, what in broken_rules(happened):
            self._note(node, name, rule, what)
        reached = Node(after, now_us, since, node, name)
        self._meet(reached)
        return reached, outputs

    def _meet(self, node: Node) -> None:
        """Takes the node up, where its abstract state is new, or has too few representatives yet."""
        abstract = abstracted(node.state)
        if self._known[abstract] >= self._representatives:
            return
        self._known[abstract] += 1
        if self._known[abstract] == 1:
            self.explored.states[type(node.state.phase).__name__] += 1
        for what in letting_go_would_be_permitted(node.state, node.now_us):
            self._note(node, "", "letting_go_is_never_refused", what)
        self._waiting[outline(node.state)].append(node)

    def _stride(self, node: Node, stride: Stride) -> Node:
        """The node that it comes to, each step of it judged."""
        kind = (stride.name, () if stride.once else outline(node.state))
        if kind in self._strode:
            return node
        self._strode.add(kind)
        outputs: tuple[Output, ...] = ()
        pace, phase = stride.begin(node.state), type(node.state.phase)
        for _ in range(stride.steps):
            if self._is_over() or type(node.state.phase) is not phase:
                break
            reached = self.take(node, *pace(node.state, outputs), stride.name)
            if reached is None:
                break
            node, outputs = reached
        return node

    def _note(self, node: Node, name: str, rule: str, what: str) -> None:
        way = (*node.way(), name) if name else tuple(node.way())
        self.explored.breaches.setdefault((rule, what), Breach(rule, what, way))


def _same(first: tuple[Output, ...], second: tuple[Output, ...]) -> bool:
    """Permits are one of a kind: of them, what they permit is compared."""
    return len(first) == len(second) and all(map(_alike, first, second))


def _alike(first: Output, second: Output) -> bool:
    if isinstance(first, Execute) and isinstance(second, Execute):
        one, other = first.permit, second.permit
        return (one.motion, one.basis_seq, one.basis_us, one.lease_ms) == (
            other.motion,
            other.basis_seq,
            other.basis_us,
            other.lease_ms,
        )
    return first == second
