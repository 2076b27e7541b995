from __future__ import annotations

import contextlib

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from vitruvian.errors import OptionError
from vitruvian.latents import LARGEST_SEED, parse_layers, parse_seeds, z_from_seed

SEED = st.integers(0, LARGEST_SEED)


@given(st.lists(st.tuples(SEED, st.integers(0, 50)), min_size=1, max_size=5))
def test_lists_and_ranges_come_back(parts: list[tuple[int, int]]) -> None:
    spans = [(first, min(first + length, LARGEST_SEED)) for first, length in parts]
    text = ",".join(f"{first}-{last}" if last > first else f"{first}" for first, last in spans)
    expected = [seed for first, last in spans for seed in range(first, last + 1)]
    seeds = parse_seeds(text)
    assert list(seeds) == expected
    assert len(seeds) == len(expected)


@given(st.text(max_size=12))
def test_any_text_is_read_or_refused_in_one_line(text: str) -> None:
    with contextlib.suppress(OptionError):  # any other exception fails the test
        assert len(parse_seeds(text)) > 0


def test_a_million_seeds_take_no_memory() -> None:
    assert len(parse_seeds("0-999999999")) == 1_000_000_000


def test_z_is_the_official_draw() -> None:
    expected = torch.from_numpy(np.random.RandomState(42).randn(1, 512)).float()
    assert torch.equal(z_from_seed(42, 512), expected)


@pytest.mark.parametrize("text", ["1;2", "1-", "-1", "1--2", "0x10", "1.5"])
def test_near_misses_are_refused(text: str) -> None:
    with pytest.raises(OptionError, match="is no seed"):
        parse_seeds(text)


def test_errors_name_the_option_that_was_meant() -> None:
    with pytest.raises(OptionError, match="--rows 5-1: the range 5-1 runs backwards"):
        parse_seeds("5-1", option="--rows")


def test_layers_are_ascending_and_each_once() -> None:
    assert parse_layers("6,0-2,1", 10) == [0, 1, 2, 6]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("0-10", "--styles 0-10: there is no layer 10, this network has layers 0 to 9"),
        ("0-99999999999", "no layer 99999999999"),
        ("3-1", "did you mean 1-3"),
        ("", "'' is no layer"),
        ("low", "'low' is no layer"),
    ],
)
def test_layers_that_are_not_there_are_named(text: str, words: str) -> None:
    with pytest.raises(OptionError, match=words):
        parse_layers(text, 10)
