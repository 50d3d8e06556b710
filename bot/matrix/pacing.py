"""The homeserver's rate limits, learned from its answers. Instants and times of waiting are milliseconds."""

from __future__ import annotations

from dataclasses import dataclass

SHORT = 10_000  # a limit that passes as soon holds for all requests of a kind, a longer one for its subject
LONGEST = 30_000  # wait for a turn
QUIET = 10  # intervals without a request after which a kind is no longer paced: its bucket is full again
FORGET_AT = 1_000  # subjects; a flood of them must not fill the memory


@dataclass(slots=True)
class _Kind:
    interval: int = 0  # between two requests; 0: nothing is known of a limit
    last: int = 0  # when the latest request was sent, or will be
    succeeded: int = 0  # when the latest was answered


class Pacing:
    """When the next request may be sent.

    A kind is what shares a rate: a path without its ids. After a short limit its requests are spaced as the homeserver
    asked, until there was none for a while. A subject is what a long limit is about, such as a person who was invited
    too often: nothing is asked about it meanwhile, and the kind goes on without it.
    """

    def __init__(self) -> None:
        self._kinds: dict[str, _Kind] = {}
        self._closed: dict[str, tuple[int, int]] = {}  # subject → since when, until when

    def wait(self, kind: str, subject: str, now: int) -> int:
        """How long to wait for a turn, which is taken with this if it comes within `LONGEST`."""
        since, until = self._closed.get(subject, (0, 0))
        if since <= now < until:  # not if the clock was set back meanwhile
            return until - now
        paced = self._kinds.get(kind)
        if paced is None or not paced.interval:
            return 0
        if not paced.last - LONGEST <= now <= paced.last + QUIET * paced.interval:
            paced.interval = 0
            return 0
        turn = max(now, paced.last + paced.interval)
        if turn - now <= LONGEST:
            paced.last = turn
        return turn - now

    def succeeded(self, kind: str, now: int) -> None:
        self._kinds.setdefault(kind, _Kind()).succeeded = now

    def limited(self, kind: str, subject: str, now: int, wait: int) -> None:
        """The homeserver refused a request, and wants to be asked again after `wait`."""
        if wait > SHORT:
            if len(self._closed) >= FORGET_AT:
                self._closed.clear()
            self._closed[subject] = (now, now + wait)
            return
        paced = self._kinds.setdefault(kind, _Kind())
        # A bucket that is empty gets its next token `wait` from now, and got the last one when a request was answered.
        since_success = now - paced.succeeded if 0 <= now - paced.succeeded <= SHORT else 0
        paced.interval = max(paced.interval, min(SHORT, since_success + wait), 1)
        paced.last = max(paced.last, now + wait - paced.interval)
