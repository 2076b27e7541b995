"""The endless order, against sequences of the reference, and its resumption."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from tests.data.conftest import golden_cases
from vitruvian.data import InfiniteSampler
from vitruvian.errors import DatasetError, OptionError


def draw(sampler: InfiniteSampler, count: int) -> list[int]:
    return list(itertools.islice(sampler, count))


@pytest.mark.parametrize("case", golden_cases("infinite_sampler"))
def test_sequences_of_the_reference(case: dict[str, Any]) -> None:
    for rank, expected in enumerate(case["ranks"]):
        sampler = InfiniteSampler(
            case["n"],
            seed=case["seed"],
            rank=rank,
            num_replicas=case["num_replicas"],
            window_size=case["window_size"],
        )
        assert draw(sampler, len(expected)) == expected


@pytest.mark.parametrize("replicas", [1, 3])
def test_a_resumed_sampler_draws_what_the_first_would_have(replicas: int) -> None:
    first = [InfiniteSampler(11, seed=5, rank=r, num_replicas=replicas) for r in range(replicas)]
    for sampler in first:
        draw(sampler, 17)
    state = first[0].state_dict()
    for rank, sampler in enumerate(first):
        resumed = InfiniteSampler(11, seed=99, rank=rank, num_replicas=replicas)
        resumed.load_state_dict(state)
        assert draw(resumed, 40) == draw(sampler, 40)


def test_the_state_does_not_depend_on_the_rank() -> None:
    states = []
    for rank in range(2):
        sampler = InfiniteSampler(10, rank=rank, num_replicas=2)
        draw(sampler, 7)
        states.append(sampler.state_dict())
    assert states[0]["index"] == states[1]["index"] == 14
    np.testing.assert_array_equal(states[0]["order"], states[1]["order"])
    np.testing.assert_array_equal(states[0]["random_keys"], states[1]["random_keys"])


def test_resuming_on_more_replicas_goes_on_with_the_same_whole_sequence() -> None:
    whole = draw(InfiniteSampler(9, seed=3), 5 + 12)
    started = InfiniteSampler(9, seed=3)
    draw(started, 5)
    parts = []
    for rank in range(2):
        sampler = InfiniteSampler(9, rank=rank, num_replicas=2)
        sampler.load_state_dict(started.state_dict())
        parts.append(draw(sampler, 6))
    pairs = list(zip(*parts, strict=True))
    assert [set(pair) for pair in pairs] == [set(whole[i : i + 2]) for i in range(5, 17, 2)]


def test_the_saved_state_is_a_copy() -> None:
    sampler = InfiniteSampler(10)
    state = sampler.state_dict()
    before = state["order"].copy()
    draw(sampler, 10)
    np.testing.assert_array_equal(state["order"], before)


def test_a_state_of_another_set_is_refused() -> None:
    state = InfiniteSampler(10).state_dict()
    with pytest.raises(DatasetError, match="walked 10 pictures, this set has 11"):
        InfiniteSampler(11).load_state_dict(state)


@pytest.mark.parametrize(
    ("options", "message"),
    [({"rank": 2, "num_replicas": 2}, "rank is 2"), ({"window_size": 1.5}, "window_size is 1.5")],
)
def test_impossible_options_are_named(options: dict[str, Any], message: str) -> None:
    with pytest.raises(OptionError, match=message):
        InfiniteSampler(10, **options)


def test_an_empty_set_is_refused() -> None:
    with pytest.raises(OptionError, match="size is 0"):
        InfiniteSampler(0)
