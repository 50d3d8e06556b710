"""A person may ask often, not endlessly, and is told so once."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bot.core.rate_limit import RateLimit, Verdict


def test_as_many_questions_as_the_bucket_holds_are_answered_then_one_notice_then_silence() -> None:
    limit = RateLimit(per_minute=3)
    verdicts = [limit.ask("@ana:x", now=0) for _ in range(6)]
    assert verdicts == [Verdict.ANSWER] * 3 + [Verdict.SAY_ONCE] + [Verdict.SILENCE] * 2


def test_once_it_is_empty_nothing_is_answered_until_it_is_full_again() -> None:
    limit = RateLimit(per_minute=3)
    for _ in range(5):
        limit.ask("@ana:x", now=0)
    assert limit.ask("@ana:x", now=20_000) is Verdict.SILENCE
    assert limit.ask("@ana:x", now=59_000) is Verdict.SILENCE
    assert [limit.ask("@ana:x", now=60_000) for _ in range(5)] == [
        *[Verdict.ANSWER] * 3, Verdict.SAY_ONCE, Verdict.SILENCE,
    ]  # fmt: skip


def test_it_is_full_for_whoever_asked_nothing_for_a_minute() -> None:
    limit = RateLimit(per_minute=3)
    assert limit.is_full("@ana:x", now=0)
    limit.ask("@ana:x", now=0)
    assert not limit.is_full("@ana:x", now=1000)
    assert limit.is_full("@ana:x", now=60_000)


def test_one_person_does_not_use_up_the_questions_of_another() -> None:
    limit = RateLimit(per_minute=1)
    limit.ask("@ana:x", now=0)
    assert limit.ask("@ben:x", now=0) is Verdict.ANSWER


@given(st.lists(st.integers(min_value=-10_000, max_value=100_000), max_size=60))
def test_a_clock_that_jumps_never_gives_more_than_bucket_and_refill(steps: list[int]) -> None:
    limit = RateLimit(per_minute=5)
    now, forward, answered = 0, 0, 0
    for step in steps:
        now += step
        forward += max(0, step)
        answered += limit.ask("@ana:x", now) is Verdict.ANSWER
    assert answered <= 5 + forward * 5 / 60_000 + 1
