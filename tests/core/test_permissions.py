"""Who may do what, from room state that strangers may have written."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.permissions import Role, may_send, power_level, role_of

ANA = "@ana:example.org"
INFINITE = float("inf")
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.just(ANA),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text() | st.just(ANA), inner, max_size=3),
    max_leaves=10,
)


@pytest.mark.parametrize(
    ("levels", "power"),
    [
        ({"users": {ANA: 50}}, 50),
        ({"users": {ANA: "50"}}, 50),
        ({"users": {ANA: " +50 "}}, 50),
        ({"users": {ANA: "-5"}}, -5),
        ({"users": {ANA: 0}, "users_default": 50}, 0),
        ({"users_default": 50}, 50),
        ({"users_default": "50"}, 50),
        ({}, 0),
    ],
)
def test_a_level_is_a_number_or_its_digits(levels: dict[str, object], power: int) -> None:
    assert power_level(ANA, levels, {"creator": ANA}) == power


@pytest.mark.parametrize(
    "level", [True, 50.0, INFINITE, "1_00", "٥٠", "0x64", "5e1", "9" * 5_000, "", [50], {"a": 50}, "fifty"]
)
def test_what_is_not_a_level_gives_no_power(level: object) -> None:
    assert power_level(ANA, {"users": {ANA: level}, "users_default": level}, None) == 0


@pytest.mark.parametrize("users", [None, [ANA], ANA, 100])
def test_users_that_are_no_mapping_give_no_power(users: object) -> None:
    assert power_level(ANA, {"users": users}, None) == 0


def test_without_power_levels_only_the_creator_has_power() -> None:
    assert power_level(ANA, None, {"creator": ANA, "room_version": "11"}) == 100
    assert power_level(ANA, None, {"creator": "@ben:example.org", "additional_creators": [ANA]}) == 0
    assert power_level(ANA, None, None) == 0


def test_from_version_12_creators_are_above_every_number() -> None:
    create = {"creator": "@ben:example.org", "additional_creators": [ANA], "room_version": "12"}
    assert power_level(ANA, {"users": {}}, create) == INFINITE
    assert power_level("@ben:example.org", None, create) == INFINITE
    assert power_level("@eve:example.org", None, create) == 0


@pytest.mark.parametrize("version", ["11", "1", 12, ["12"], {"12": 1}, None, "org.example.12"])
def test_in_other_versions_they_are_not(version: object) -> None:
    create = {"creator": ANA, "additional_creators": [ANA], "room_version": version}
    assert power_level(ANA, {"users": {}}, create) == 0


@given(
    st.none() | st.dictionaries(st.sampled_from(["users", "users_default", "x"]), JSON),
    st.none() | st.dictionaries(st.sampled_from(["creator", "additional_creators", "room_version"]), JSON),
)
def test_any_room_state_gives_a_level(levels: dict[str, object] | None, create: dict[str, object] | None) -> None:
    """Nothing raises, and who is named nowhere has no more than everybody has."""
    assert isinstance(power_level(ANA, levels, create), int | float)
    if ANA not in json.dumps([levels, create]) and levels is not None:
        assert power_level(ANA, levels, create) == power_level(
            ANA, {"users_default": levels.get("users_default")}, None
        )


@pytest.mark.parametrize(
    ("levels", "may"),
    [
        (None, True),
        ({}, True),
        ({"events_default": 1}, False),
        ({"events_default": 1, "users": {ANA: 1}}, True),
        ({"events_default": "50", "users_default": "50"}, True),
        ({"events_default": 50, "events": {"m.room.message": 0}}, True),
        ({"events": {"m.room.message": 1}}, False),
        ({"events": {"m.room.encrypted": 1}}, True),
        ({"events": [], "events_default": [1]}, True),
    ],
)
def test_sending_needs_the_level_of_the_type_or_of_all_events(levels: dict[str, object] | None, may: bool) -> None:
    assert may_send(ANA, "m.room.message", levels, None) is may


@pytest.mark.parametrize(
    ("power", "lists", "role"),
    [
        (0, {}, Role.MEMBER),
        (49, {}, Role.MEMBER),
        (50, {}, Role.MODERATOR),
        (INFINITE, {}, Role.MODERATOR),
        (0, {"coordinators": [ANA]}, Role.COORDINATOR),
        (50, {"coordinators": [ANA]}, Role.MODERATOR),
        (-1, {"moderators": [ANA], "coordinators": [ANA]}, Role.MODERATOR),
        (0, {"operators": [ANA], "moderators": [ANA]}, Role.OPERATOR),
    ],
)
def test_the_highest_role_counts(power: float, lists: dict[str, list[str]], role: Role) -> None:
    people: dict[str, list[str]] = {"operators": [], "moderators": [], "coordinators": [], **lists}
    assert role_of(ANA, power=power, **people) is role
