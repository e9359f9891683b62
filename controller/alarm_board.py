"""Which alarms are on: first cause first, latched until acknowledged, brief ones shown long enough to be read."""

from dataclasses import dataclass, replace

from safety.alarms import CATALOGUE, AlarmId

# A brief condition (a cough, a late sample) stays readable for so long after it has gone.
SHOWN_AT_LEAST_US = 5_000_000


@dataclass(frozen=True, slots=True)
class Raised:
    """`on` while the condition lasts; `seen_us` when it was last seen; `root` marks what tripped first."""

    id: AlarmId
    since_us: int
    seen_us: int
    detail: str
    on: bool = True
    acknowledged: bool = False
    root: bool = False


Board = tuple[Raised, ...]


def raised(board: Board, alarm: AlarmId, detail: str, now_us: int, root: bool = False) -> Board:
    """The board with that alarm on; one that is there already keeps its first moment and detail."""
    if any(entry.id is alarm for entry in board):
        return tuple(
            replace(entry, seen_us=now_us, on=True, root=entry.root or root) if entry.id is alarm else entry
            for entry in board
        )
    return (*board, Raised(alarm, now_us, now_us, detail, root=root))


def is_on(board: Board, alarm: AlarmId) -> bool:
    return any(entry.id is alarm and entry.on for entry in board)


def is_told(board: Board, alarm: AlarmId) -> bool:
    """Whether its coming is known: it is on, or one that does not latch comes and goes while it is still shown."""
    return any(entry.id is alarm and (entry.on or not CATALOGUE[alarm].latches) for entry in board)


def condition_gone(board: Board, alarm: AlarmId, now_us: int) -> Board:
    if not any(entry.id is alarm and entry.on for entry in board):
        return board
    return tuple(
        replace(entry, seen_us=now_us, on=False) if entry.id is alarm and entry.on else entry for entry in board
    )


def acknowledged(board: Board, alarm: AlarmId) -> Board:
    return tuple(replace(entry, acknowledged=True) if entry.id is alarm else entry for entry in board)


def without_trip(board: Board) -> Board:
    """Once the interlock has opened: what followed from the trip goes with it."""
    return tuple(entry for entry in board if not entry.root and entry.on)


def swept(board: Board, now_us: int) -> Board:
    """Takes down what is over: not latched and read long enough, or latched, over and acknowledged."""
    return tuple(entry for entry in board if not _is_over(entry, now_us)) if board else board


def _is_over(entry: Raised, now_us: int) -> bool:
    if entry.on or entry.root:
        return False
    if CATALOGUE[entry.id].latches:
        return entry.acknowledged
    return now_us - entry.seen_us >= SHOWN_AT_LEAST_US


def in_order(board: Board) -> Board:
    """For people: the root cause first, then by priority, then the oldest."""
    rank = {"HIGH": 0, "MEDIUM": 1, "LOW": 2}
    return tuple(
        sorted(board, key=lambda entry: (not entry.root, rank[CATALOGUE[entry.id].priority.value], entry.since_us))
    )
