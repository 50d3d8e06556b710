"""Waiting for a homeserver: longer each time, never under a second, for as many tries as an outage lasts."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bot.matrix.backoff import MAX_WAIT, Backoff


@given(st.integers(1, 3000))
def test_no_wait_is_under_a_second_or_over_a_minute_and_a_half(tries: int) -> None:
    """Three thousand tries are two days: the wait must not overflow meanwhile."""
    backoff = Backoff()
    for _ in range(tries):
        assert 1 <= backoff.wait() <= MAX_WAIT * 1.5


def test_waits_grow() -> None:
    backoff = Backoff()
    waits = [backoff.wait() for _ in range(20)]
    assert all(base <= wait <= base * 1.5 for base, wait in zip([1, 2, 4, 8, 16, 32, 60, 60], waits, strict=False))


def test_two_bots_do_not_come_back_at_the_same_instant() -> None:
    assert len({Backoff().wait() for _ in range(20)}) > 1


@given(st.floats(0, 3600))
def test_the_homeservers_own_wait_is_kept_to(asked: float) -> None:
    assert Backoff().wait(asked) >= max(1, asked)


def test_after_an_answer_it_begins_anew() -> None:
    backoff = Backoff()
    for _ in range(10):
        backoff.wait()
    backoff.over()
    assert backoff.wait() <= 1.5
