"""Two sides see the same pictures and vouch for their keys; somebody between them is noticed."""

from __future__ import annotations

import base64
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("vodozemac", reason="encryption does not work here")

from bot.matrix.crypto import sas
from bot.matrix.crypto.sas import EphemeralKey, SasError, Secret, Side

FLOW = "T1"
DEVICE_KEY, MASTER_KEY = "ed25519:D1", "ed25519:MMM"
KEYS = {DEVICE_KEY: "key of the device", MASTER_KEY: "MMM"}


def meet() -> tuple[Side, Secret, Side, Secret]:
    """Ana, who starts, and Faro."""
    ana, faro = EphemeralKey(), EphemeralKey()
    sides = Side("@ana:example.org", "D1", ana.key), Side("@faro:example.org", "D2", faro.key)
    return sides[0], ana.agree(faro.key), sides[1], faro.agree(ana.key)


def test_both_sides_see_the_same_seven_pictures_and_three_numbers() -> None:
    ana, hers, faro, his = meet()
    shown = hers.display(ana, faro, FLOW)
    assert shown == his.display(ana, faro, FLOW)
    assert (len(shown.emoji), len(shown.numbers)) == (7, 3)
    assert set(shown.emoji) <= set(sas.EMOJI)
    assert all(1000 <= number <= 9191 for number in shown.numbers)  # 13 bits and 1000 (spec)


def test_pictures_and_numbers_are_the_same_bits_read_in_sixes_and_in_thirteens() -> None:
    """The specification takes both from the start of one byte string."""
    ana, _, faro, his = meet()
    shown = his.display(ana, faro, FLOW)
    assert len(set(sas.EMOJI)) == 64
    sixes = "".join(f"{sas.EMOJI.index(one):06b}" for one in shown.emoji)
    thirteens = "".join(f"{number - 1000:013b}" for number in shown.numbers)
    assert sixes[:39] == thirteens


def test_another_flow_or_other_roles_show_something_else() -> None:
    ana, hers, faro, _ = meet()
    assert len({hers.display(ana, faro, FLOW), hers.display(ana, faro, "T2"), hers.display(faro, ana, FLOW)}) == 3


def test_somebody_in_between_makes_the_pictures_differ() -> None:
    ana, faro, mal = EphemeralKey(), EphemeralKey(), EphemeralKey()
    sides = Side("@ana:example.org", "D1", ana.key), Side("@faro:example.org", "D2", faro.key)
    assert ana.agree(mal.key).display(*sides, FLOW) != faro.agree(ana.key).display(*sides, FLOW)


def test_the_promise_is_unpadded_base64_of_the_key_and_the_sorted_start() -> None:
    digest = hashlib.sha256(b'key{"a":1,"b":"\xc3\xa9"}').digest()
    assert sas.commitment("key", {"b": "é", "a": 1}) == base64.b64encode(digest).decode().rstrip("=")


def test_keys_vouched_for_are_recognised() -> None:
    ana, hers, faro, his = meet()
    said = hers.create_mac(ana, faro, FLOW, KEYS)
    assert set(said["mac"]) == set(KEYS)
    assert his.verified_keys(ana, faro, FLOW, said, KEYS) == frozenset(KEYS)
    assert his.verified_keys(ana, faro, FLOW, said, {DEVICE_KEY: KEYS[DEVICE_KEY]}) == {DEVICE_KEY}
    assert his.verified_keys(ana, faro, FLOW, said, {}) == frozenset()


def test_another_key_than_the_one_vouched_for_is_noticed() -> None:
    ana, hers, faro, his = meet()
    said = hers.create_mac(ana, faro, FLOW, KEYS)
    with pytest.raises(SasError, match=DEVICE_KEY):
        his.verified_keys(ana, faro, FLOW, said, {**KEYS, DEVICE_KEY: "another"})


def test_a_shortened_list_of_keys_is_noticed() -> None:
    ana, hers, faro, his = meet()
    said = hers.create_mac(ana, faro, FLOW, KEYS)
    del said["mac"][MASTER_KEY]
    with pytest.raises(SasError, match="list of keys"):
        his.verified_keys(ana, faro, FLOW, said, KEYS)


def test_words_said_to_somebody_else_do_not_count() -> None:
    ana, hers, faro, his = meet()
    with pytest.raises(SasError):
        his.verified_keys(faro, ana, FLOW, hers.create_mac(ana, faro, FLOW, KEYS), KEYS)


@given(st.text())
def test_a_key_that_is_none_is_refused(key: str) -> None:
    with pytest.raises(SasError):
        EphemeralKey().agree(key)


def test_a_half_is_used_once() -> None:
    half = EphemeralKey()
    half.agree(EphemeralKey().key)
    with pytest.raises(SasError):
        half.agree(EphemeralKey().key)


@given(st.dictionaries(st.sampled_from(["mac", "keys"]), st.none() | st.text() | st.dictionaries(st.text(), st.none())))
def test_nonsense_instead_of_proof_is_refused(content: dict[str, object]) -> None:
    ana, _, faro, his = meet()
    with pytest.raises(SasError):
        his.verified_keys(ana, faro, FLOW, content, KEYS)
