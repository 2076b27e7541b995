"""Outfits drawn by lot, their labels, and how they are worn."""

import json
from dataclasses import fields, is_dataclass, replace

import numpy as np
import pytest

from vitruvian.mannequin.body import Body, Rest
from vitruvian.mannequin.fields import FACE, Charted, Fields
from vitruvian.mannequin.materials import Column, MaterialTable, Slot
from vitruvian.mannequin.outfit import Outfit, Wardrobe, sample_outfit
from vitruvian.mannequin.pose import POSES, solve


@pytest.fixture(scope="module")
def rest() -> Rest:
    return Body.load().rest(np.random.default_rng(3).normal(0, 0.6, 64))


def outfits(count: int) -> list[Outfit]:
    return [sample_outfit(np.random.default_rng(seed), ("male", "female")[seed % 2]) for seed in range(count)]


def test_same_seed_same_outfit() -> None:
    assert outfits(40) == outfits(40)
    assert len({repr(outfit) for outfit in outfits(40)}) == 40


def test_labels_are_complete_and_plain() -> None:
    keys = set(outfits(1)[0].labels())
    for outfit in outfits(200):
        labels = outfit.labels()
        assert set(labels) == keys
        json.dumps(labels)
        assert 0 <= labels["sleeve_length"] <= 1
        assert 0.1 < labels["bottom_length"] < 1.05
        assert labels["top_colour"]
        assert labels["bottom_colour"]
        assert (labels["outer"] is None) == (labels["outer_colour"] is None)
        assert labels["dress"] == (labels["bottom"] == "dress")


def test_lengths_are_continuous() -> None:
    for gender in ("male", "female"):
        drawn = [sample_outfit(np.random.default_rng(seed), gender).labels() for seed in range(300)]
        for name in ("sleeve_length", "bottom_length"):
            values = np.array([labels[name] for labels in drawn])
            filled = np.histogram(values, bins=8, range=(0.16, 0.96))[0]
            assert (filled > 0).all(), (gender, name, filled)


def test_every_kind_is_worn() -> None:
    drawn = [outfit.labels() for outfit in outfits(500)]
    assert {"sneaker", "boot", "loafer", "pump", "sandal"} == {labels["shoes"] for labels in drawn}
    assert {"trousers", "shorts", "skirt", "dress"} == {labels["kind"] for labels in drawn}
    assert {"blazer", "jacket", "hooded jacket", "cardigan", "coat", None} == {labels["outer"] for labels in drawn}


def test_tucked_tops_end_under_the_waistband_and_boots_under_trousers() -> None:
    for outfit in outfits(300):
        if outfit.bottom and outfit.tucked:
            assert outfit.top.hem < outfit.bottom.waist - 0.02
        if outfit.bottom and outfit.bottom.length > 0.55 and outfit.shoes.kind == "boot":
            assert outfit.shoes.top <= -0.70


def test_no_outfit_hides_a_face(rest: Rest) -> None:
    body = Body.load()
    skin = Charted.of_part(body, "body", "torso")
    region = Fields.of(body).region[: body.skin_count][skin.source]
    is_face = (region == FACE)[skin.triangles].all(axis=1)
    above = skin.template[:, 2][skin.triangles].min(axis=1) > 0.79
    for outfit in outfits(100):
        # only the cut functions matter here: shapes are not needed
        wardrobe = Wardrobe.__new__(Wardrobe)
        wardrobe._outfit = outfit
        hidden = wardrobe.covered(skin)
        assert not hidden[is_face].any()
        assert not hidden[above].any()
        assert 0.1 < hidden.mean() < 0.8, "a dressed person has hidden skin, and bare hands and face"


@pytest.mark.parametrize("seed", range(6))
def test_dressed_pieces_are_sound(seed: int, rest: Rest) -> None:
    body = Body.load()
    outfit = outfits(seed * 7 + 1)[-1]
    wardrobe = Wardrobe(body, rest, outfit)
    posed = solve(body, rest, list(POSES.values())[seed], heel_lift=wardrobe.heel_lift, sole=wardrobe.sole)
    pieces = wardrobe.dress(posed)
    table = MaterialTable()
    wardrobe.set_materials(table)
    assert {piece.slot for piece in pieces} >= {Slot.TOP, Slot.SHOES, Slot.HEEL}
    for piece in pieces:
        count = len(piece.vertices)
        assert piece.triangles.min() == 0
        assert piece.triangles.max() < count
        assert len(piece.normals) == len(piece.template) == len(piece.chart) == count
        assert np.isfinite(piece.vertices).all()
        np.testing.assert_allclose(np.linalg.norm(piece.normals, axis=1), 1, atol=1e-3)
        assert piece.vertices[:, 2].min() > -0.03
        assert piece.vertices[:, 2].max() < posed.vertices[: body.skin_count, 2].max() + 0.35
        assert table.rows[piece.slot, Column.SEMANTIC] > 0, piece.slot
        assert table.rows[piece.slot, Column.BASE : Column.BASE + 3].sum() > 0


def test_dressing_again_gives_the_same(rest: Rest) -> None:
    body = Body.load()
    outfit = outfits(3)[-1]
    posed = solve(body, rest, POSES["stand"])
    once, again = (Wardrobe(body, rest, outfit).dress(posed) for _ in range(2))
    for a, b in zip(once, again, strict=True):
        np.testing.assert_array_equal(a.vertices, b.vertices)
        np.testing.assert_array_equal(a.triangles, b.triangles)


def test_longer_sleeves_hide_more_skin(rest: Rest) -> None:
    body = Body.load()
    skin = Charted.of_part(body, "body", "torso")
    outfit = next(o for o in outfits(50) if o.outer is None)
    hidden = []
    for sleeve in np.linspace(0, 1, 6):
        wardrobe = Wardrobe(body, rest, replace(outfit, top=replace(outfit.top, sleeve=float(sleeve))))
        hidden.append(int(wardrobe.covered(skin).sum()))
    assert np.all(np.diff(hidden) > 20), hidden


def test_descriptions_are_frozen() -> None:
    outfit = outfits(1)[0]
    for field in fields(outfit):
        value = getattr(outfit, field.name)
        if is_dataclass(value):
            with pytest.raises(AttributeError):
                setattr(value, fields(value)[0].name, None)
