"""The baked body: mean and principal components of adult bodies, skeleton, skin weights, parts, texture masks.

Made by ``scripts/bake_body.py`` from CC0 MakeHuman data; ``assets/body.json`` is its card. Metres; x to the
person's left, the person faces -y, z up; the origin lies inside the pelvis. ``.L`` bones have x > 0.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Literal

import numpy as np
from safetensors import safe_open
from scipy.sparse import csr_matrix

from vitruvian.mannequin import mesh

ASSET = "assets/body.safetensors"
SKIN_VERTICES = 13380  # the body proper comes first; helper meshes for eyes and clothes follow
YOUNGEST_AGE = 0.64  # on anny's scale, where 2/3 is a young adult: there are no children here
FINE_LEGS_BELOW = -0.40  # template height under which legs and feet are subdivided twice
HEAD_WEIGHT = 0.4

PartName = Literal["body", "tights", "tights_legs_fine", "skirt", "eyes", "lashes", "head"]
_SOURCE_AND_LEVELS: dict[str, tuple[str, int]] = {
    "body": ("body", 0),
    "tights": ("tights", 1),
    "tights_legs_fine": ("tights", 2),
    "skirt": ("skirt", 1),
    "eyes": ("eyes", 1),
    "lashes": ("lashes", 0),
    "head": ("body", 1),
}


@dataclass(frozen=True, eq=False)
class Rest:
    """One identity in the rest pose (arms about 45 degrees down)."""

    vertices: np.ndarray
    """V x 3 base vertices, float32."""
    bone_heads: np.ndarray
    """J x 3."""
    stature: float
    """Metres from sole to crown."""


@dataclass(frozen=True, eq=False)
class Part:
    """A sub-mesh of the base mesh, possibly subdivided: ``matrix`` takes base vertices to its own."""

    name: str
    matrix: csr_matrix
    """n x V."""
    quads: np.ndarray
    triangles: np.ndarray
    """T x 3, proper ones only."""
    corner_uv: np.ndarray
    """T x 3 x 2 texture coordinates, v upwards."""
    neighbours: csr_matrix
    """n x n: mean of the edge neighbours, for smoothing."""

    def of(self, values: np.ndarray) -> np.ndarray:
        """Per-base-vertex values (V or V x k) on the part's vertices."""
        return self.matrix @ values


class Body:
    """The body that every mannequin shares; get it by :meth:`load`."""

    skin_count = SKIN_VERTICES

    def __init__(self, tensors: Mapping[str, np.ndarray], names: Mapping[str, list]) -> None:
        self._tensors = tensors
        self.template = tensors["template"]
        self.bone_names: list[str] = names["bone_names"]
        self.bone_parents = np.array(names["bone_parents"])
        self.bone_index = {name: index for index, name in enumerate(self.bone_names)}
        self.template_joints = dict(zip(self.bone_names, tensors["template_joints"], strict=True))
        self.keypoint_names: list[str] = names["keypoint_names"]
        self.control_names: list[str] = names["controls"]
        count = len(self.template)
        weights = _matrix(tensors, "weights", (count, len(self.bone_names)))
        total = np.asarray(weights.sum(axis=1)).ravel()
        self.skin_weights = csr_matrix(weights.multiply(1 / total[:, None]), dtype=np.float32)
        self.keypoint_regressor = _matrix(tensors, "keypoints", (len(self.keypoint_names), count))
        basis = tensors["basis"].astype(np.float32) * tensors["basis_peak"][:, None, None]
        self._basis = basis.reshape(len(basis), -1)
        self._mean = tensors["mean"].reshape(-1)

    @staticmethod
    @functools.cache
    def load() -> Body:
        with safe_open(Path(str(files("vitruvian.mannequin"))) / ASSET, framework="np") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a mapping
            names = json.loads(file.metadata()["names"])
        return Body(tensors, names)

    @functools.cached_property
    def masks(self) -> np.ndarray:
        """R x R x 4 float32 in [0, 1] over the skin's texture: lips, eyelids, ears, fingernails; row 0 is v = 1."""
        return self._tensors["masks"].astype(np.float32) / 255

    def rest(self, coefficients: np.ndarray) -> Rest:
        """The shape of ``coefficients`` (up to 64 numbers of about unit variance; zeros give the mean)."""
        flat = self._mean + np.asarray(coefficients, np.float32) @ self._basis[: len(coefficients)]
        points = flat.reshape(-1, 3)
        vertices, heads = points[: len(self.template)], points[len(self.template) :]
        heights = vertices[:SKIN_VERTICES, 2]
        return Rest(vertices, heads, float(heights.max() - heights.min()))

    def sample_coefficients(
        self,
        rng: np.random.Generator,
        phenotype: Mapping[str, float],
        *,
        smile: float = 0.0,
        variety: float = 1.0,
    ) -> np.ndarray:
        """64 coefficients of a person with those controls, other features drawn at random.

        Args:
            phenotype: gender (0 male .. 1 female), age (at least 0.64), muscle, weight, height, proportions, cupsize,
                firmness in 0..1, and african, asian, caucasian that sum to 1.
            smile: 0..0.6.
            variety: scale of the features that the controls leave free.

        Raises:
            ValueError: for an age below that of adults.
        """
        if phenotype["age"] < YOUNGEST_AGE:
            raise ValueError(f"age {phenotype['age']}: mannequins are adults, {YOUNGEST_AGE} or more")
        controls = np.array([smile if name == "smile" else phenotype[name] for name in self.control_names])
        rows, columns = np.triu_indices(len(controls))
        features = np.concatenate([[1.0], controls, controls[rows] * controls[columns]])
        free = self._tensors["controls.residual"] @ rng.standard_normal(len(self._basis))
        return (features @ self._tensors["controls.regression"] + variety * free).astype(np.float32)

    @functools.cache  # noqa: B019 - there is one body for the life of the process
    def part(self, name: PartName) -> Part:
        """A named part; built once."""
        source, levels = _SOURCE_AND_LEVELS[name]
        quads, uv = self._tensors[f"{source}.quads"], self._tensors[f"{source}.uv"]
        keep = self._faces_of(name, quads)
        quads, uv = quads[keep], uv[keep]
        used = np.unique(quads)
        place = np.full(len(self.template), -1)
        place[used] = np.arange(len(used))
        quads = place[quads]
        count = len(used)
        matrix = csr_matrix((np.ones(count), (np.arange(count), used)), (count, len(self.template)))
        for _ in range(levels):
            step, quads = mesh.catmull_clark(quads, count)
            matrix, count = csr_matrix(step @ matrix), step.get_shape()[0]
            middle, centre = (uv + np.roll(uv, -1, axis=1)) / 2, uv.mean(axis=1)
            corners = [np.stack([uv[:, k], middle[:, k], centre, middle[:, (k - 1) % 4]], axis=1) for k in range(4)]
            uv = np.concatenate(corners)
        corner_uv = np.concatenate([uv[:, [0, 1, 2]], uv[:, [0, 2, 3]]])
        halves = np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])
        proper = mesh.is_proper(halves)
        return Part(
            name=name,
            matrix=csr_matrix(matrix, dtype=np.float32),
            quads=quads,
            triangles=halves[proper],
            corner_uv=corner_uv[proper].astype(np.float32),
            neighbours=mesh.neighbour_mean(quads, count),
        )

    def _faces_of(self, name: PartName, quads: np.ndarray) -> np.ndarray:
        if name == "tights_legs_fine":
            return self.template[quads][:, :, 2].max(axis=1) < FINE_LEGS_BELOW
        if name == "head":
            bones = [self.bone_index[bone] for bone in self.bone_names if bone.startswith(("head", "eye"))]
            weight = np.asarray(self.skin_weights[:, bones].sum(axis=1)).ravel()
            return weight[quads].min(axis=1) > HEAD_WEIGHT
        return np.ones(len(quads), bool)


def _matrix(tensors: Mapping[str, np.ndarray], name: str, shape: tuple[int, int]) -> csr_matrix:
    data, indices, indptr = (tensors[f"{name}.{part}"] for part in ("data", "indices", "indptr"))
    return csr_matrix((data.astype(np.float32), indices.astype(np.int32), indptr), shape)
