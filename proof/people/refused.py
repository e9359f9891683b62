"""That a mistake came to nothing: it was refused, for its reason, on record, and nothing moved or could have."""

from collections.abc import Iterator
from typing import Final

from firmware_bridge.messages import Hello, HostMessage, Nak, Release
from proof.bench import Bench
from proof.people.desk import Reply
from proof.verdict import Verdict, equal, holds

HARMLESS: Final = (Hello, Release)
ANSWERED_S: Final = 0.050


def refused(bench: Bench, reply: Reply, *said: str) -> Iterator[Verdict]:
    """With a reason that says those things, and that stands on record."""
    reason = reply["reason"]
    yield equal("it is refused", reply["outcome"], "refused")
    for words in said:
        yield holds(f'the refusal says "{words}"', words in reason, reason)
    texts = on_record(bench)
    yield holds("the refusal is on record", any(reason in text for text in texts[-1:]), " / ".join(texts[-1:]))


def on_record(bench: Bench) -> list[str]:
    """What was asked, as the session's own record has it; as the log has it where there is none."""
    if bench.state.course is not None:
        rows = bench.memory.events
        return [row.text for row in rows if row.kind == "command"]
    return [event.text for event in bench.heard.events if event.kind == "command"]


def nothing_could_move(bench: Bench) -> Iterator[Verdict]:
    written = [type(message).__name__ for _at_us, message in bench.written.heard if not isinstance(message, HARMLESS)]
    yield holds("nothing that moves was written", not written, ", ".join(written))
    yield holds("nothing was wound in", bench.pulled_at_us == 0)
    yield holds("no session began", not bench.memory.headers)


def refusals_of(bench: Bench, *messages: HostMessage) -> list[str]:
    """What the table itself says to these, sent to it past every guard of the computer: its reasons to refuse."""
    before = len(bench.sent.heard)
    for message in messages:
        bench.to_table.put(bench.conductor.link.send(message), bench.now_us)
    bench.run_for(ANSWERED_S)
    return [said.reason.spelled for _at_us, said in bench.sent.heard[before:] if isinstance(said, Nak)]
