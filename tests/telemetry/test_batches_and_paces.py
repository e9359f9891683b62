from hypothesis import given
from hypothesis import strategies as st

from controller.messages import BATCH_SAMPLES_MAX
from controller.telemetry import ForceBatcher, StatePacer

PERIOD_US = 12_500  # 80 samples a second


def fed(batcher: ForceBatcher, samples: list[tuple[int, str | None]]) -> list:
    """The batches of these (sequence number, session) samples, and what is left at the end."""
    given_out = [batcher.add(seq, seq * PERIOD_US, seq * 10, None, seq, session) for seq, session in samples]
    return [batch for batch in (*given_out, batcher.flush()) if batch is not None]


def test_ten_batches_a_second_whatever_the_rate():
    for rate_hz in (10, 80, 1_000):
        batcher = ForceBatcher("run-1")

        batches = [batcher.add(i, i * 1_000_000 // rate_hz, 0, 0, 0, None) for i in range(10 * rate_hz)]

        assert sum(batch is not None for batch in batches) in (99, 100) if rate_hz > 10 else True


def test_a_gap_starts_a_new_batch_and_is_counted():
    batches = fed(ForceBatcher("run-1"), [(5, None), (6, None), (9, None), (10, None)])

    assert [(batch.first_seq, batch.force_mn) for batch in batches] == [(5, [50, 60]), (9, [90, 100])]
    assert [batch.dropped for batch in batches] == [2, 2]


def test_a_change_of_session_starts_a_new_batch():
    batches = fed(ForceBatcher("run-1"), [(1, None), (2, "a"), (3, "a"), (4, None)])

    assert [(batch.session_id, batch.first_seq) for batch in batches] == [(None, 1), ("a", 2), (None, 4)]


def test_a_table_that_starts_again_loses_nothing_that_is_known():
    batcher = ForceBatcher("run-1")

    batches = fed(batcher, [(1_000, None), (0, None), (1, None)])

    assert [(batch.first_seq, batch.dropped) for batch in batches] == [(1_000, 0), (0, 0)]


def test_a_missing_reading_stays_missing():
    batcher = ForceBatcher("run-1")
    batcher.add(1, 0, None, None, 0, None)

    batch = batcher.flush()

    assert batch is not None
    assert (batch.force_mn, batch.target_mn) == ([None], [None])


def test_a_batch_never_outgrows_what_a_message_may_hold():
    batcher = ForceBatcher("run-1", batch_us=10**9)

    batches = [batcher.add(seq, seq, 0, 0, 0, None) for seq in range(BATCH_SAMPLES_MAX + 1)]

    assert [len(batch.t_us) for batch in batches if batch] == [BATCH_SAMPLES_MAX]
    assert batcher.flush().first_seq == BATCH_SAMPLES_MAX


@given(st.lists(st.tuples(st.integers(1, 3), st.sampled_from([None, "a", "b"])), max_size=60))
def test_every_sample_comes_out_once_under_its_own_number(steps):
    samples, seq = [], 0
    for step, session in steps:
        seq += step
        samples.append((seq, session))

    batches = fed(ForceBatcher("run-1"), samples)

    told = [(b.first_seq + i, b.session_id, force) for b in batches for i, force in enumerate(b.force_mn)]
    assert told == [(seq, session, 10 * seq) for seq, session in samples]
    assert all(len(b.t_us) == len(b.force_mn) == len(b.target_mn) == len(b.cable_um) for b in batches)


def test_a_state_is_due_at_once_on_change_and_else_every_second():
    pacer = StatePacer()

    due = [pacer.due(told, now_us) for told, now_us in (("idle", 0), ("idle", 999_999), ("ramping", 999_999))]
    later = [pacer.due("ramping", now_us) for now_us in (1_999_998, 1_999_999, 2_000_000)]

    assert due == [True, False, True]
    assert later == [False, True, False]
