"""Garments on one identity, in rest space and posed."""

from dataclasses import replace

import numpy as np
import pytest

from vitruvian.mannequin import drape, garments, legwear, sewing, shoes
from vitruvian.mannequin.body import Body, Rest
from vitruvian.mannequin.cloth import Sheet, Spots, bone_transforms, cut_out
from vitruvian.mannequin.fabric import solid
from vitruvian.mannequin.fields import Charted
from vitruvian.mannequin.garments import CLIMBING, COLLAR_BONE, Top
from vitruvian.mannequin.legwear import Skirt, Trousers
from vitruvian.mannequin.materials import Slot
from vitruvian.mannequin.pose import POSES, solve
from vitruvian.mannequin.shoes import Shoes

CLOTH = solid("red")
TEE = Top(CLOTH, "tee", sleeve=0.3, hem=0.10, neck="crew", looseness=0.5, thickness=0.012)
JEANS = Trousers(CLOTH, "jeans", length=0.95, waist=0.22, looseness=0.4, flare=0.3, thickness=0.005)
SKIRT = Skirt(CLOTH, "skirt", length=0.5, flare=0.3, wave=0.5, pleats=9, thickness=0.01)
LEATHER = solid("black")


@pytest.fixture(scope="module")
def rest() -> Rest:
    return Body.load().rest(np.zeros(64))


def sheet_of(top: Top, rest: Rest) -> Sheet:
    cloth = garments.blank()
    return cut_out(cloth, garments.shape_top(top, rest), top.cut()(cloth.spots), Slot.TOP)


def test_sleeves_end_where_they_are_said_to(rest: Rest) -> None:
    shoulder = np.array([0.187, -0.021, 0.652])
    reach = []
    for sleeve in (-0.1, 0.1, 0.3, 0.5, 0.7, 0.9, 1.0):
        points = sheet_of(replace(TEE, sleeve=sleeve), rest).template
        arm = points[points[:, 0] > 0.2]
        reach.append(np.linalg.norm(arm - shoulder, axis=1).max() if len(arm) else 0.0)
    assert np.all(np.diff(reach) > 0.02), reach
    assert reach[-1] == pytest.approx(0.56, abs=0.06), "a sleeve of length 1 ends at the wrist"


def test_hems_and_waists_are_exact(rest: Rest) -> None:
    for hem in (0.09, 0.12, 0.15):
        assert sheet_of(replace(TEE, hem=hem), rest).template[:, 2].min() == pytest.approx(hem, abs=1e-4)
    cloth = legwear.trouser_blank()
    shape = legwear.shape_trousers(JEANS, rest)
    for waist in (0.20, 0.25):
        keep = replace(JEANS, waist=waist).cut()(cloth.spots)
        sheet = cut_out(cloth, shape, keep, Slot.BOTTOM)
        assert sheet.template[:, 2].max() == pytest.approx(waist, abs=1e-4)
    cloth = legwear.skirt_blank()
    sheet = cut_out(cloth, legwear.shape_skirt(SKIRT, rest), SKIRT.cut()(cloth.spots), Slot.SKIRT)
    assert sheet.template[:, 2].min() == pytest.approx(SKIRT.hem, abs=1e-4)


@pytest.mark.parametrize("neck", ["crew", "v", "scoop", "boat", "wide", "shirt", "strap", "mock", "turtle"])
def test_only_collars_that_climb_pass_the_collar_bone(neck: garments.NeckKind, rest: Rest) -> None:
    top = replace(TEE, neck=neck, straps="thin" if neck == "strap" else "none")
    height = sheet_of(top, rest).template[:, 2].max()
    assert (height > COLLAR_BONE) == (neck in CLIMBING), height
    assert height < 0.80


def test_deeper_necklines_show_more(rest: Rest) -> None:
    chest = []
    for depth in (0.05, 0.09, 0.13):
        points = sheet_of(replace(TEE, neck="v", neck_depth=depth), rest).template
        chest.append(points[(np.abs(points[:, 0]) < 0.01) & (points[:, 1] < 0), 2].max())
    np.testing.assert_allclose(chest, [0.65, 0.61, 0.57], atol=0.02)


def test_an_open_front_is_open(rest: Rest) -> None:
    points = sheet_of(replace(TEE, opening=(0.05,) * 5), rest).template
    front = points[(points[:, 1] < -0.05) & (points[:, 2] < 0.6)]
    assert np.abs(front[:, 0]).min() > 0.049
    assert np.abs(points[points[:, 1] > 0.02, 0]).min() < 0.01, "the back is closed"


def test_cloth_lies_outside_the_skin(rest: Rest) -> None:
    """Seen from the trunk's axis, no point of a loose top is nearer than the skin of its height and angle."""
    sheet = sheet_of(replace(TEE, looseness=0.8), rest)
    skin = rest.vertices[: Body.load().skin_count]
    for height in (0.15, 0.25, 0.35, 0.45):
        ring = skin[(np.abs(skin[:, 2] - height) < 0.015) & (np.abs(skin[:, 0]) < 0.2)]
        cloth = sheet.vertices[: sheet.surface_count]
        cloth = cloth[(np.abs(cloth[:, 2] - height) < 0.015) & (np.abs(cloth[:, 0]) < 0.25)]
        if len(cloth) == 0:
            continue
        angle, radius = drape.polar(ring, garments.TRUNK_AXIS)
        at, reach = drape.polar(cloth, garments.TRUNK_AXIS)
        assert np.mean(reach > drape.mean_radius_by_angle(angle, radius, at)) > 0.97


def test_looseness_and_flare_widen(rest: Rest) -> None:
    def width(top: Top) -> float:
        points = sheet_of(top, rest).vertices
        return float(np.ptp(points[np.abs(points[:, 2] - 0.2) < 0.05, 0]))

    widths = [width(replace(TEE, looseness=loose)) for loose in (0.0, 0.4, 0.8)]
    assert np.all(np.diff(widths) > 0.005), widths
    hems = [np.ptp(legwear.shape_skirt(replace(SKIRT, flare=f), rest).vertices[:, 0]) for f in (0.0, 0.2, 0.4)]
    assert np.all(np.diff(hems) > 0.05), hems


def test_hollows_are_bridged_but_never_dented() -> None:
    angle = np.linspace(-np.pi, np.pi, 400, endpoint=False)
    radius = 0.15 + 0.02 * np.cos(2 * angle)
    dented = radius - 0.02 * np.exp(-((angle / 0.2) ** 2))
    points = np.stack([dented * np.sin(angle), -dented * np.cos(angle), np.zeros(400)], axis=1)
    filled = drape.filled_hollows(points, np.zeros(400), np.ones(400, bool), (0.0, 0.0), 1.0)
    _, before = drape.polar(points, (0.0, 0.0))
    _, after = drape.polar(filled, (0.0, 0.0))
    assert (after > before - 1e-6).all()
    front = np.argmin(np.abs(angle))
    assert after[front] - before[front] > 0.01


def test_division_is_exact_and_loses_no_surface() -> None:
    rng = np.random.default_rng(0)
    points = np.concatenate([rng.uniform(-1, 1, (60, 2)), np.zeros((60, 1))], axis=1)
    triangles = rng.integers(0, 60, (200, 3))
    value = points[:, 0] - 0.1
    lower, upper, ends, share = sewing.divided(triangles, value)
    every = np.concatenate([points, points[ends[:, 0]] + (points[ends[:, 1]] - points[ends[:, 0]]) * share[:, None]])

    def area(faces: np.ndarray) -> float:
        a, b, c = (every[faces[:, k]] for k in range(3))
        return float(np.abs(np.cross(b - a, c - a)[:, 2]).sum())

    assert every[lower][:, :, 0].max() <= 0.1 + 1e-6
    assert every[upper][:, :, 0].min() >= 0.1 - 1e-6
    assert area(lower) + area(upper) == pytest.approx(area(triangles), rel=1e-5)


def test_no_triangle_spans_two_pattern_charts(rest: Rest) -> None:
    sheet = sheet_of(replace(TEE, sleeve=0.9), rest)
    u = sheet.chart[:, 0][sheet.triangles]
    assert np.ptp(u, axis=1).max() < 0.1
    assert (u.min(axis=1) > 1).any(), "sleeves have their own chart"
    assert (u.max(axis=1) < 1).any()


@pytest.mark.parametrize("kind", ["sneaker", "boot", "loafer", "pump", "sandal"])
def test_soles_are_flat_and_stand_on_the_floor(kind: shoes.ShoeKind, rest: Rest) -> None:
    pair = Shoes(LEATHER, kind, sole=0.02, sole_colour=(0.5, 0.5, 0.5), sole_name="grey")
    sheets = shoes.make_shoes(pair, rest)
    soles = [sheet for sheet in sheets if sheet.slot == Slot.HEEL][-2:]
    skin = rest.vertices[: Body.load().skin_count]
    floor = skin[:, 2].min() - pair.sole
    for sole, sign in zip(soles, (1, -1), strict=True):
        assert (sole.vertices[:, 0] * sign > 0).all(), "one for each foot"
        assert sole.vertices[:, 2].min() == pytest.approx(floor, abs=0.004)
        low = sole.vertices[:, 2] < floor + 0.004
        assert np.ptp(sole.vertices[low, 1]) > 0.2, "as long as the foot"


def test_heels_reach_the_floor_when_standing(rest: Rest) -> None:
    body = Body.load()
    pump = Shoes(LEATHER, "pump", 0.006, (0.1, 0.1, 0.1), "black", heel_lift=24, heel="stiletto")
    posed = solve(body, rest, POSES["stand"], heel_lift=pump.heel_lift, sole=pump.sole)
    transforms = bone_transforms(rest, posed)
    for sheet in shoes.make_shoes(pump, rest)[1:]:
        lowest = sheet.posed(transforms).vertices[:, 2].min()
        assert lowest == pytest.approx(0.0, abs=0.012)


def test_skinning_in_the_rest_pose_changes_nothing(rest: Rest) -> None:
    sheet = sheet_of(TEE, rest)
    still = np.concatenate(
        [np.tile(np.eye(3), (len(rest.bone_heads), 1, 1)), np.zeros((len(rest.bone_heads), 3, 1))], 2
    )
    piece = sheet.posed(still.astype(np.float32))
    np.testing.assert_allclose(piece.vertices, sheet.vertices, atol=2e-5)
    np.testing.assert_allclose(np.linalg.norm(piece.normals, axis=1), 1, atol=1e-4)


def test_cut_functions_agree_on_cloth_and_skin() -> None:
    """The same place on the template has the same distance to the edge whatever mesh asks."""
    body = Body.load()
    skin = Spots.of(Charted.of_part(body, "body", "torso"))
    assert len(skin.z) == len(Charted.of_part(body, "body", "torso").template)
    inside = TEE.cut()(skin) > 0
    assert 0.1 < inside.mean() < 0.6
    assert skin.z[inside].max() < COLLAR_BONE
