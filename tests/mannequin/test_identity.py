"""People drawn by lot."""

from __future__ import annotations

import numpy as np
import pytest

from vitruvian.mannequin.body import YOUNGEST_AGE, Body
from vitruvian.mannequin.colours import HAIR_COLOURS
from vitruvian.mannequin.hairstyles import STYLES
from vitruvian.mannequin.identity import HAIR_STYLES, Person, sample_person
from vitruvian.mannequin.materials import MaterialTable


@pytest.fixture(scope="module")
def people() -> list[Person]:
    rng = np.random.default_rng(0)
    return [sample_person(rng) for _ in range(300)]


def test_one_seed_gives_one_person() -> None:
    first, again = (sample_person(np.random.default_rng(5)) for _ in range(2))
    np.testing.assert_array_equal(first.rest.vertices, again.rest.vertices)
    assert first.skin == again.skin
    assert first.phenotype == again.phenotype
    assert (first.hair_style, first.hair_seed, first.iris) == (again.hair_style, again.hair_seed, again.iris)


def test_another_seed_gives_another_person() -> None:
    first, other = (sample_person(np.random.default_rng(seed)) for seed in (5, 6))
    assert np.abs(first.rest.vertices - other.rest.vertices).max() > 0.01


@pytest.mark.parametrize(("gender", "low", "high"), [("male", 0.0, 0.1), ("female", 0.9, 1.0)])
def test_the_gender_asked_for_is_drawn(gender, low: float, high: float) -> None:
    rng = np.random.default_rng(1)
    for _ in range(10):
        person = sample_person(rng, gender)
        assert person.gender == gender
        assert low <= person.phenotype["gender"] <= high
        assert person.hair_style in HAIR_STYLES[gender]


def test_all_are_adults(people: list[Person]) -> None:
    assert min(person.phenotype["age"] for person in people) >= YOUNGEST_AGE


def test_phenotypes_are_complete(people: list[Person]) -> None:
    controls = set(Body.load().control_names) - {"smile"}
    for person in people:
        assert set(person.phenotype) == controls
        assert sum(person.phenotype[race] for race in ("african", "asian", "caucasian")) == pytest.approx(1)
        assert 0 <= person.smile <= 0.6


def test_people_are_as_tall_as_people_are(people: list[Person]) -> None:
    for gender, mean in (("male", 1.78), ("female", 1.67)):
        statures = np.array([person.rest.stature for person in people if person.gender == gender])
        assert len(statures) > 100
        assert statures.mean() == pytest.approx(mean, abs=0.03)
        assert 0.05 < statures.std() < 0.11
        assert 1.35 < statures.min() < statures.max() < 2.15


def test_skins_are_varied_and_lips_are_redder(people: list[Person]) -> None:
    darkness = np.array([person.skin.darkness for person in people])
    assert 0 <= darkness.min() < 0.1
    assert 0.7 < darkness.max() <= 1
    for person in people:
        tone, lip = np.array(person.skin.tone), np.array(person.skin.lip)
        assert lip[0] / lip[1] > tone[0] / tone[1]
        assert all(0 <= channel <= 1 for channel in (*person.skin.tone, *person.skin.lip, *person.skin.shadow))


def test_darker_people_have_darker_skin(people: list[Person]) -> None:
    darkness = [person.skin.darkness for person in people]
    brightness = [sum(person.skin.tone) for person in people]
    assert np.corrcoef(darkness, brightness)[0, 1] < -0.9


def test_only_men_have_stubble_and_only_women_make_up(people: list[Person]) -> None:
    assert any(person.skin.stubble > 0 for person in people)
    for person in people:
        if person.gender == "female":
            assert person.skin.stubble == 0
        else:
            assert person.skin.shadow_amount == 0


def test_hair_is_known_to_the_other_rooms(people: list[Person]) -> None:
    for styles in HAIR_STYLES.values():
        assert set(styles) <= set(STYLES)
        assert sum(styles.values()) == pytest.approx(1)
    assert {person.hair_name for person in people} == set(HAIR_COLOURS)
    for person in people:
        assert person.hair_colours == HAIR_COLOURS[person.hair_name]


def test_grey_hair_comes_with_age(people: list[Person]) -> None:
    grey = [person.phenotype["age"] for person in people if person.hair_name == "grey"]
    other = [person.phenotype["age"] for person in people if person.hair_name != "grey"]
    assert np.mean(grey) > np.mean(other) + 0.03


def test_a_skin_fits_the_material_table(people: list[Person]) -> None:
    table = MaterialTable()
    table.set_body(people[0].skin)
    assert np.isfinite(table.rows).all()
