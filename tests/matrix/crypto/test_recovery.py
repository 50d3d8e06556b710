"""Recovery keys and sealed secrets, without a homeserver."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("vodozemac", reason="encryption does not work here")

from bot.matrix.crypto.identity import IdentityError
from bot.matrix.crypto.recovery import decrypt_secret, matches_key, parse
from tests.matrix.crypto.strongbox import put_away, seal, shown

KEY = bytes(range(32))


@given(st.binary(min_size=32, max_size=32))
def test_a_recovery_key_is_read_as_it_is_shown(key: bytes) -> None:
    assert parse(shown(key)) == key
    assert parse(f" {shown(key).replace(' ', '')}\n") == key


@given(st.text(max_size=80))
def test_anything_else_is_refused_in_words(text: str) -> None:
    with pytest.raises(IdentityError, match="not a recovery key"):
        parse(text)


@pytest.mark.parametrize("at", [0, 20, 47])
def test_a_slip_of_the_pen_is_noticed(at: int) -> None:
    signs = list(shown(KEY).replace(" ", ""))
    signs[at] = "2" if signs[at] != "2" else "3"
    with pytest.raises(IdentityError):
        parse("".join(signs))


def test_a_huge_text_costs_nothing() -> None:
    with pytest.raises(IdentityError):
        parse("z" * 1_000_000)


def test_a_sealed_secret_comes_back() -> None:
    assert decrypt_secret(KEY, "m.cross_signing.master", seal(KEY, "m.cross_signing.master", b"secret")) == b"secret"


@pytest.mark.parametrize("part", ["ciphertext", "mac"])
def test_a_touched_seal_is_noticed(part: str) -> None:
    sealed = seal(KEY, "m.cross_signing.master", b"secret")
    with pytest.raises(ValueError, match="seal"):
        decrypt_secret(KEY, "m.cross_signing.master", {**sealed, part: "AAAA"})


def test_a_secret_does_not_pass_for_another() -> None:
    with pytest.raises(ValueError, match="seal"):
        decrypt_secret(KEY, "m.cross_signing.master", seal(KEY, "m.cross_signing.self_signing", b"secret"))


@given(st.dictionaries(st.sampled_from(["iv", "ciphertext", "mac"]), st.none() | st.text() | st.integers()))
def test_nonsense_instead_of_a_secret_is_a_value_error(sealed: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"."):
        decrypt_secret(KEY, "m.cross_signing.master", sealed)


def test_the_wrong_key_is_told_from_the_right_one() -> None:
    description = put_away(KEY, "K1", {})["m.secret_storage.key.K1"]
    assert matches_key(KEY, description)
    assert not matches_key(bytes(32), description)
