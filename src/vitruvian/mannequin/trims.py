"""Collars, plackets, lapels, hoods, waistbands, pockets: what makes a garment readable.

Each is a patch of the garment's own shaped cloth, cut by a function of the template and lifted off it, so it
follows every body and pose. Heights and widths are template metres.
"""

from __future__ import annotations

import numpy as np

from vitruvian.mannequin.cloth import (
    UNDER_LAYER,
    Blank,
    Shape,
    Sheet,
    Spots,
    attached,
    cut_out,
    in_front,
    off_arms,
)
from vitruvian.mannequin.fields import smoothstep
from vitruvian.mannequin.garments import NECK_RADIUS, Top, neck_distance
from vitruvian.mannequin.legwear import Trousers
from vitruvian.mannequin.materials import Slot

PLACKET_HALF_WIDTH = 0.015
BUTTON_RADIUS = 0.0058
BUTTON_STEP = 0.085
LAPEL_TOP = 0.605
COLLAR_WIDTH = 0.042
HOOD_RADIUS = 0.074
NAPE = 0.738  # height at which collars begin behind
COLLAR_UNDER = -0.004  # metres that a collar goes on under a jacket; less than 0 stops before its edge
BELT_HEIGHT = 0.032


def top_trims(
    top: Top, shape: Shape, blank: Blank, slot: Slot, button_slot: Slot, drop: np.ndarray | None
) -> list[Sheet]:
    """Patches of a top whose uncut shape is given; ``drop`` as in :func:`cloth.cut_out`."""
    base = top.cut()(blank.spots)
    if drop is not None:
        base = np.minimum(base, -drop)
    sheets = []
    if top.trim in ("collar", "polo"):
        sheets.append(_collar(top, shape, blank, slot, drop))
        low = top.hem if top.trim == "collar" else 0.54
        placket = np.minimum(base, _placket(blank.spots, low))
        sheets.append(_patch(blank, shape, placket, slot, 0.0022))
        sheets += _buttons(top, shape, blank, low, button_slot)
    elif top.trim == "lapel":
        lapel = np.minimum(base, _lapel(top, blank.spots))
        sheets.append(_patch(blank, shape, lapel, slot, _lapel_lift(top, blank.at), hem=0.014))
        sheets.append(_collar(top, shape, blank, slot, None))
    elif top.trim == "hood":
        sheets.append(_hood(top, shape, blank, slot))
        if top.opening is None:
            sheets.append(_patch(blank, shape, np.minimum(base, _pouch(top, blank.spots)), slot, 0.005))
    if top.neck == "turtle":
        sheets.append(_patch(blank, shape, np.minimum(base + 0.001, blank.spots.z - 0.742), slot, 0.004))
    if top.kind in ("jacket", "blazer", "coat"):
        pockets = np.minimum(base, _flap_pockets(blank.spots))
        sheets.append(_patch(blank, shape, pockets, slot, 0.004))
    return [sheet for sheet in sheets if len(sheet.triangles)]


def trouser_trims(trousers: Trousers, shape: Shape, blank: Blank, slot: Slot, *, waistband: bool) -> list[Sheet]:
    """Waistband (where it shows) and turn-ups of trousers."""
    spots = blank.spots
    base = trousers.cut()(spots)
    sheets = []
    if waistband:
        band = np.minimum(base + 0.002, spots.z - trousers.waist + 0.03)
        sheets.append(_patch(blank, shape, band, slot, 0.0025))
    if trousers.turn_up:
        cuff = np.minimum(base, 0.035 - (trousers.length - spots.leg_arc) * spots.leg_length)
        sheets.append(_patch(blank, shape, cuff, slot, 0.005))
    return sheets


def belt(trousers: Trousers, shape: Shape, blank: Blank, slot: Slot) -> Sheet:
    """A belt over the waistband."""
    spots = blank.spots
    middle = trousers.waist - 0.018
    keep = np.minimum(0.5 * BELT_HEIGHT - np.abs(spots.z - middle), off_arms(spots))
    return _patch(blank, shape, keep, slot, 0.0055)


def _patch(
    blank: Blank,
    shape: Shape,
    keep: np.ndarray,
    slot: Slot,
    lift: float | np.ndarray,
    hem: float = 0.004,
) -> Sheet:
    """Cloth lifted by ``lift`` (metres, one or n) and cut where keep (m) is positive."""
    return cut_out(blank, shape.lifted(lift), keep, slot, hem=hem)


def _neck_radius(top: Top) -> float:
    return NECK_RADIUS.get(top.neck, NECK_RADIUS["shirt"])


def _from_neck(spots: Spots, radius: float) -> np.ndarray:
    """Metres from the line round the neck where collars begin, positive away from the head.

    Across in front and on the shoulders; behind, where the back is steep, downwards. The larger of the two
    counts, or a collar would spread to the ends of the shoulders.
    """
    across = neck_distance(spots) - radius
    down = NAPE - spots.z - 0.2 * smoothstep(0.03, -0.03, spots.y)
    return np.maximum(across, down)


def _collar(top: Top, shape: Shape, blank: Blank, slot: Slot, drop: np.ndarray | None) -> Sheet:
    """A band that stands up at the neck and falls to its outer edge, with points in front."""
    spots, radius = blank.spots, _neck_radius(top)
    lapel = top.trim == "lapel"
    outwards = _from_neck(spots, radius)
    front = smoothstep(0.0, -0.10, spots.y)
    width = COLLAR_WIDTH + (0.012 if lapel else 0.018) * front + 0.006 * smoothstep(0.0, 0.05, spots.y)
    # the leaf's front edge runs from the top button outwards and down
    edge = spots.side - (_lapel_collar_edge(top, spots) if lapel else 0.006 + 0.42 * np.clip(0.675 - spots.z, 0, 1))
    lowest = spots.z - (LAPEL_TOP + 0.006 + 0.25 * spots.side if lapel else 0.60)
    keep = np.minimum(np.minimum(outwards + 0.004, width - outwards), lowest)
    keep = np.minimum(keep, np.maximum(edge, -in_front(spots)))
    highest = 0.712 + 0.065 * smoothstep(-0.075, -0.02, spots.y)
    keep = np.minimum(keep, np.minimum(highest - spots.z, off_arms(spots) + 0.03))
    if drop is not None:  # nothing stands up through a jacket
        keep = np.minimum(keep, COLLAR_UNDER - UNDER_LAYER - drop)
    own = blank.at
    share = np.clip(1 - _from_neck(own, radius) / COLLAR_WIDTH, 0, 1)
    rise = 0.024 * share**1.3 * smoothstep(-0.14, 0.03, own.y) + 0.010 * share
    raised = shape.moved(rise[:, None] * np.array([0.0, 0.0, 1.0]))
    lift = 0.006 + 0.003 * share
    return _patch(blank, raised, keep, slot, lift, hem=0.004)


def _lapel_collar_edge(top: Top, spots: Spots) -> np.ndarray:
    return top.half_opening(spots.z)


def _placket(spots: Spots, low: float) -> np.ndarray:
    """A band down the middle of the front."""
    band = np.minimum(PLACKET_HALF_WIDTH - spots.side, spots.z - low)
    return np.minimum(band, in_front(spots))


def _lapel(top: Top, spots: Spots) -> np.ndarray:
    """The turned-back front of a jacket, from the button to the notch."""
    low = 0.36 if top.kind != "coat" else 0.42
    along = np.clip((spots.z - low) / (LAPEL_TOP - low), 0, 1)
    inner = top.half_opening(spots.z)
    outer = inner + 0.008 + 0.066 * along
    keep = np.minimum(outer - spots.side, spots.z - low)
    keep = np.minimum(keep, LAPEL_TOP + 0.08 * spots.side - spots.z)
    return np.minimum(keep, in_front(spots))


def _lapel_lift(top: Top, own: Spots) -> np.ndarray:
    """A lapel stands off most at its outer edge, which gives it a shade and a shadow of its own."""
    across = np.clip((own.side - top.half_opening(own.z)) / 0.07, 0, 1)
    return 0.006 + 0.014 * across


def _hood(top: Top, shape: Shape, blank: Blank, slot: Slot) -> Sheet:
    """A hood lying on the back: a collar that bulges backwards."""
    spots, own = blank.spots, blank.at
    outwards = _from_neck(spots, HOOD_RADIUS)
    width = 0.046 + 0.034 * smoothstep(-0.10, -0.01, spots.y) + 0.06 * smoothstep(-0.03, 0.06, spots.y)
    low = spots.z - (0.575 + 3.0 * spots.x**2)  # metres; rounded at the back
    keep = np.minimum(np.minimum(width - outwards, outwards + 0.004), low)
    if top.opening is not None:
        gap = spots.side - 0.8 * top.half_opening(spots.z)
        keep = np.minimum(keep, np.maximum(gap, -in_front(spots)))
    highest = 0.712 + 0.075 * smoothstep(-0.075, -0.02, spots.y)
    keep = np.minimum(keep, np.minimum(highest - spots.z, off_arms(spots) + 0.02))
    back = smoothstep(-0.05, 0.06, own.y)
    bulge = np.exp(-(((own.z - 0.66) / 0.05) ** 2) - (own.x / 0.10) ** 2)
    share = np.clip(1 - _from_neck(own, HOOD_RADIUS) / 0.06, 0, 1)
    offset = np.stack([np.zeros(len(back)), 0.055 * back * bulge, 0.022 * share], axis=1)
    near_neck = (neck_distance(own) < 0.2) & (own.z > 0.5)
    raised = blank.relaxed(shape.moved(offset).vertices, 4, near_neck.astype(np.float32))
    return _patch(blank, blank.shaped(raised), keep, slot, 0.005 + 0.011 * share, hem=0.008)


def _pouch(top: Top, spots: Spots) -> np.ndarray:
    """The kangaroo pocket of a hoodie."""
    low, high = top.hem + 0.045, top.hem + 0.215
    rise = np.clip((spots.z - low) / (high - low), 0, 1)
    half = 0.125 - 0.045 * smoothstep(0.35, 1.0, rise)
    keep = np.minimum(np.minimum(spots.z - low, high - spots.z), half - spots.side)
    return np.minimum(keep, np.minimum(in_front(spots), off_arms(spots)))


def _flap_pockets(spots: Spots) -> np.ndarray:
    """Two flaps at the hips."""
    flap = np.minimum(0.020 - np.abs(spots.z - 0.195), 0.052 - np.abs(spots.side - 0.105))
    return np.minimum(flap, np.minimum(in_front(spots), off_arms(spots)))


def _buttons(top: Top, shape: Shape, blank: Blank, low: float, slot: Slot) -> list[Sheet]:
    """Small discs down the placket."""
    own = blank.at
    front = np.flatnonzero((own.y < 0) & (own.side < 0.05) & (own.z > 0.0) & (own.z < 0.72))
    height = 0.70 - top.neck_depth - 0.012
    sheets = []
    while height > low + 0.03:
        sheets.append(_button(blank, shape, front, height, slot))
        height -= BUTTON_STEP
    return sheets


def _button(blank: Blank, shape: Shape, front: np.ndarray, height: float, slot: Slot) -> Sheet:
    flat = blank.template[front][:, [0, 2]]
    distance = np.hypot(flat[:, 0], flat[:, 1] - height)
    nearest = np.argsort(distance)[:6]
    share = 1 / (distance[nearest] + 1e-3) ** 2
    share /= share.sum()
    chosen = front[nearest]
    normal = share @ shape.normals[chosen]
    normal /= np.linalg.norm(normal)
    centre = share @ shape.vertices[chosen] + 0.004 * normal
    turn = np.linspace(0, 2 * np.pi, 10, endpoint=False)
    sideways = np.cross([0, 0, 1.0], normal)
    sideways /= np.linalg.norm(sideways)
    upwards = np.cross(normal, sideways)
    rim = centre + BUTTON_RADIUS * (np.cos(turn)[:, None] * sideways + np.sin(turn)[:, None] * upwards)
    vertices = np.concatenate([rim - 0.003 * normal, rim, (centre + 0.0008 * normal)[None]])
    k, following = np.arange(10), (np.arange(10) + 1) % 10
    triangles = np.concatenate(
        [
            np.stack([k, following, following + 10], 1),
            np.stack([k, following + 10, k + 10], 1),
            np.stack([k + 10, following + 10, np.full(10, 20)], 1),
        ]
    )
    return attached(blank, shape, chosen, vertices, triangles, slot)
