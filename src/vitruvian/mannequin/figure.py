"""A person in an outfit: built once, then posed as often as wanted.

Whatever does not depend on the pose (garments in rest space, covered skin, fitted hair, materials) is done by
:class:`Figure`; :meth:`Figure.posed` gives the meshes of one pose and the joints to label.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np

from vitruvian.mannequin import hair, mesh
from vitruvian.mannequin.body import Body
from vitruvian.mannequin.fields import Charted, Fields
from vitruvian.mannequin.identity import Person
from vitruvian.mannequin.labels import KEYPOINT_NAMES
from vitruvian.mannequin.materials import EYE_CENTRE_X, EYE_CENTRE_Z, MaterialTable, Slot
from vitruvian.mannequin.outfit import Outfit
from vitruvian.mannequin.pose import POSES, Pose, Posed, solve
from vitruvian.mannequin.renderer import Scene
from vitruvian.mannequin.wardrobe import Wardrobe

TREE_POSE = "stand"
FOOT_HEIGHT = -0.70  # template z under which a vertex belongs to a foot
HEAD_HEIGHT = 0.785  # template z above which a vertex belongs to the head, for face close-ups


@dataclass(frozen=True)
class PosedFigure:
    """Meshes of one pose, and points to frame and label it; world metres, floor at z = 0."""

    pieces: list[mesh.Piece]
    joints: np.ndarray  # 18 x 3 in the order of labels.KEYPOINT_NAMES
    skin: np.ndarray  # bare body vertices, n x 3
    head: np.ndarray  # the part of them on the head
    feet: np.ndarray
    hands: tuple[np.ndarray, np.ndarray]  # left, right

    @property
    def ground(self) -> tuple[float, float]:
        """Where the figure stands: x and y."""
        x, y = self.feet[:, :2].mean(0)
        return float(x), float(y)


class Figure:
    """A dressed person. Building takes some hundredths of a second, posing a few more."""

    def __init__(self, person: Person, outfit: Outfit) -> None:
        body = Body.load()
        self._scene: Scene | None = None
        self.person = person
        self.outfit = outfit
        self._wardrobe = Wardrobe(body, person.rest, outfit)
        self._hair = hair.fit(person.hair_style, person.hair_seed, person.rest)
        self._visible = ~self._wardrobe.covered(_skin())
        self.materials = _materials(person)
        self._wardrobe.set_materials(self.materials)

    def posed(self, pose: Pose) -> PosedFigure:
        """The figure in a pose."""
        body = Body.load()
        posed = solve(body, self.person.rest, pose, heel_lift=self._wardrobe.heel_lift, sole=self._wardrobe.sole)
        pieces = [self._skin_piece(posed), _eyes_piece(posed), _lashes_piece(posed)]
        pieces += self._wardrobe.dress(posed)
        pieces += self._hair.posed(posed)
        skin = posed.vertices[: body.skin_count]
        head, feet, left, right = _regions()
        return PosedFigure(pieces, _joints(posed), skin, skin[head], skin[feet], (skin[left], skin[right]))

    def scene(self, posed: PosedFigure) -> Scene:
        """The figure on the device, in this pose until the next call.

        The tree that rays descend is built once and then bent. It is built for a pose with the limbs apart,
        whatever is drawn first: hands on hips tangle it so much that other poses take several times as long;
        and a picture has the same bytes alone as in a series.
        """
        if self._scene is None:
            self._scene = Scene(self.posed(POSES[TREE_POSE]).pieces, self.materials, Body.load().masks)
        self._scene.move(posed.pieces)
        return self._scene

    def _skin_piece(self, posed: Posed) -> mesh.Piece:
        charted = _skin()
        part = Body.load().part("body")
        vertices = part.of(posed.vertices)
        normals = mesh.vertex_normals(vertices, part.triangles)
        source = charted.source
        return mesh.Piece(
            vertices=vertices[source],
            triangles=charted.triangles[self._visible],
            normals=normals[source],
            template=charted.template,
            chart=_skin_chart(),
            slot=Slot.BODY,
            uv=part.corner_uv[self._visible],
        )


@functools.cache
def _skin() -> Charted:
    """The bare body with its seams, for the garments' cut functions."""
    body = Body.load()
    return Charted.of_part(body, "body", "torso")


@functools.cache
def _skin_chart() -> np.ndarray:
    """Pattern coordinates are not used on skin; the third number is the semantic region."""
    charted, body = _skin(), Body.load()
    chart = np.zeros((len(charted.template), 4), np.float32)
    chart[:, 2] = Fields.of(body).region[: body.skin_count][charted.source]
    return chart


@functools.cache
def _regions() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Indices of skin vertices: head, feet, left hand, right hand."""
    body = Body.load()
    skin = body.template[: body.skin_count]
    is_hand = Fields.of(body).hand[: body.skin_count] > 0.5
    return (
        np.flatnonzero(skin[:, 2] > HEAD_HEIGHT),
        np.flatnonzero(skin[:, 2] < FOOT_HEIGHT),
        np.flatnonzero(is_hand & (skin[:, 0] > 0)),
        np.flatnonzero(is_hand & (skin[:, 0] < 0)),
    )


def _eyes_piece(posed: Posed) -> mesh.Piece:
    body = Body.load()
    part = body.part("eyes")
    vertices = part.of(posed.vertices)
    template = part.of(body.template)
    return mesh.Piece(
        vertices=vertices,
        triangles=part.triangles,
        normals=mesh.vertex_normals(vertices, part.triangles),
        template=template,
        chart=np.zeros((len(vertices), 4), np.float32),
        slot=Slot.EYES,
    )


def _lashes_piece(posed: Posed) -> mesh.Piece:
    part = Body.load().part("lashes")
    vertices = part.of(posed.vertices)
    template, chart = _lash_chart()
    return mesh.Piece(
        vertices=vertices,
        triangles=part.triangles,
        normals=mesh.vertex_normals(vertices, part.triangles),
        template=template,
        chart=chart,
        slot=Slot.LASHES,
    )


@functools.cache
def _lash_chart() -> tuple[np.ndarray, np.ndarray]:
    """Template positions of the lashes, and their chart: angle about the eye, 0 (lid) to 1 (tip)."""
    body = Body.load()
    template = np.asarray(body.part("lashes").of(body.template))
    x, y, z = template.T
    chart = np.zeros((len(template), 4), np.float32)
    chart[:, 0] = np.arctan2(z - EYE_CENTRE_Z, np.abs(x) - EYE_CENTRE_X)
    chart[:, 1] = (y - y.max()) / (y.min() - y.max())
    return template, chart


def _joints(posed: Posed) -> np.ndarray:
    body = Body.load()
    points = np.asarray(body.keypoint_regressor @ posed.vertices, np.float64)
    by_name = dict(zip(body.keypoint_names, points, strict=True))
    by_name["neck"] = (by_name["left_shoulder"] + by_name["right_shoulder"]) / 2
    return np.stack([by_name[name] for name in KEYPOINT_NAMES])


def _materials(person: Person) -> MaterialTable:
    table = MaterialTable()
    dark, light = person.hair_colours
    table.set_body(person.skin)
    table.set_eyes(person.iris)
    table.set_lashes([0.25 * c for c in dark], person.lash_cut)
    table.set_hair(dark, light)
    return table
