"""Error containment for nio's Olm machine, and a check that the installed nio has the internals we use.

Anybody on any homeserver can send the bot a to-device message or publish garbage as device keys. nio 0.26 lets
errors of vodozemac abort a sync, some of them again at every start. So all foreign input is handled inside
`drop_on_error`, item by item: a bad item is dropped, the rest of the batch is processed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from typing import Final

import structlog
import vodozemac
from nio.crypto import OlmAccount, OutboundGroupSession
from nio.crypto.olm_machine import Olm
from nio.store import SqliteStore
from peewee import OperationalError

from bot.core.errors import TransportError

log = structlog.get_logger()

_USED: Final[tuple[tuple[object, tuple[str, ...]], ...]] = (
    (
        Olm,
        (
            "_create_inbound_session", "_handle_key_claiming", "_handle_key_query", "_handle_olm_event",
            "_mark_device_for_unwedging", "_olm_encrypt", "_queue_dummy_message", "create_group_session",
            "create_outbound_group_session", "create_session", "decrypt", "group_encrypt", "handle_key_verification",
            "handle_to_device_event", "mark_keys_as_published", "save_account", "share_keys", "sign_json",
            "should_upload_keys", "verify_json",
        ),
    ),
    (OlmAccount, ("from_pickle", "mark_keys_as_published", "one_time_keys")),
    (SqliteStore, ("load_account", "save_account", "save_device_keys", "save_session")),
    (vodozemac.Account, ("fallback_key", "generate_fallback_key")),
    (vodozemac.InboundGroupSession, ("first_known_index",)),
)  # fmt: skip
_USED_OF_INSTANCES: Final = (
    (
        OutboundGroupSession,
        ("creation_time", "max_age", "max_messages", "message_count", "shared", "users_shared_with"),
    ),
    (OlmAccount, ("_account", "shared")),
)


class WrongNioError(TransportError):
    """The installed nio is incompatible; the operator must install the right one."""


def check(used: Sequence[tuple[object, tuple[str, ...]]] = _USED) -> None:
    """Raises `WrongNioError` if nio lacks an internal name that we use. Takes microseconds."""
    gone = [f"{_name(thing)}.{name}" for thing, names in used for name in names if not hasattr(thing, name)]
    gone += [
        f"{_name(kind)}().{name}" for kind, names in _USED_OF_INSTANCES for name in names if not hasattr(kind(), name)
    ]
    if gone:
        raise WrongNioError(
            f"encryption needs matrix-nio 0.26, but matrix-nio {version('matrix-nio')} has no {', '.join(gone)}; "
            'install the right one: pip install "matrix-nio[e2e]==0.26.*"'
        )


@contextmanager
def drop_on_error(what: str, **about: object) -> Iterator[None]:
    """Logs and drops every error inside, panics of vodozemac's Rust included.

    Storage errors (`peewee.OperationalError`) propagate: they are not caused by the input.
    """
    try:
        yield
    except OperationalError:
        raise
    except Exception as error:
        log.warning("dropped malformed input", what=what, error=_describe(error), **about)
    except BaseException as error:
        if type(error).__name__ != "PanicException":  # PyO3 derives it from BaseException, and exports no name for it
            raise
        log.warning("dropped input that made the crypto library panic", what=what, error=_describe(error), **about)


def _describe(error: BaseException) -> str:
    return f"{type(error).__name__}: {str(error)[:200]}"


def _name(thing: object) -> str:
    return str(getattr(thing, "__name__", thing))
