from __future__ import annotations

import numpy as np
import pytest

from vitruvian.mannequin import mesh

CUBE = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)], float)
CUBE_QUADS = np.array(
    [[0, 1, 3, 2], [4, 6, 7, 5], [0, 4, 5, 1], [2, 3, 7, 6], [0, 2, 6, 4], [1, 5, 7, 3]]
)  # normals point outwards


def test_catmull_clark_of_a_cube_is_known() -> None:
    matrix, quads = mesh.catmull_clark(CUBE_QUADS, 8)
    points = matrix @ CUBE
    assert matrix.shape == (8 + 12 + 6, 8)
    assert quads.shape == (24, 4)
    # A corner goes to (F + 2R + (n-3)P) / n with n = 3: 5/9 of itself; an edge point to 3/4 of its middle.
    np.testing.assert_allclose(points[:8], CUBE * 5 / 9)
    np.testing.assert_allclose(np.sort(np.abs(points[8:20]), axis=1), np.tile([0, 0.75, 0.75], (12, 1)))
    np.testing.assert_allclose(np.sort(np.abs(points[20:]), axis=1), np.tile([0, 0, 1], (6, 1)))
    np.testing.assert_allclose(np.asarray(matrix.sum(axis=1)).ravel(), 1)


def test_a_border_stays_a_border() -> None:
    square = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]], float)
    matrix, _ = mesh.catmull_clark(np.array([[0, 1, 2, 3]]), 4)
    points = matrix @ square
    np.testing.assert_allclose(points[4:8].mean(axis=0), [0.5, 0.5, 0])
    assert {(0.5, 0.0), (1.0, 0.5), (0.5, 1.0), (0.0, 0.5)} == {tuple(p[:2]) for p in points[4:8].round(9).tolist()}


def test_normals_point_outwards() -> None:
    normals = mesh.vertex_normals(CUBE, mesh.triangulate(CUBE_QUADS))
    assert ((normals * CUBE).sum(axis=1) > 0.9).all()
    np.testing.assert_allclose(np.linalg.norm(normals, axis=1), 1)


def test_a_quad_with_a_repeated_corner_is_one_triangle() -> None:
    assert len(mesh.triangulate(np.array([[0, 1, 2, 2]]))) == 1


@pytest.mark.parametrize("height", [-0.5, 0.25, 0.9])
def test_clipping_is_exact_on_a_plane(height: float) -> None:
    triangles = mesh.triangulate(CUBE_QUADS)
    keep = CUBE[:, 2] - height
    cut, arrays, edges = mesh.clip(triangles, keep, {"vertices": CUBE, "height": CUBE[:, 2]})
    points = arrays["vertices"]
    assert points[:, 2].min() == pytest.approx(height)
    np.testing.assert_allclose(arrays["height"], points[:, 2])
    np.testing.assert_allclose(points[edges][:, :, 2], height)
    area = (
        np.linalg.norm(
            np.cross(points[cut[:, 1]] - points[cut[:, 0]], points[cut[:, 2]] - points[cut[:, 0]]), axis=1
        ).sum()
        / 2
    )
    assert area == pytest.approx(4 + 8 * (1 - height))  # the top and what is left of the four sides
    normals = mesh.vertex_normals(points, cut)
    assert ((normals[points[:, 2] < 0.99] * points[points[:, 2] < 0.99])[:, :2].sum(axis=1) > 0).all()


def test_clipping_everything_or_nothing() -> None:
    triangles = mesh.triangulate(CUBE_QUADS)
    whole, arrays, edges = mesh.clip(triangles, np.ones(8), {"vertices": CUBE})
    assert len(whole) == len(triangles)
    assert len(edges) == 0
    nothing, arrays, _ = mesh.clip(triangles, -np.ones(8), {"vertices": CUBE})
    assert len(nothing) == len(arrays["vertices"]) == 0


def test_a_hem_goes_inwards_by_its_depth() -> None:
    triangles = mesh.triangulate(CUBE_QUADS)
    normals = mesh.vertex_normals(CUBE, triangles)
    cut, arrays, edges = mesh.clip(triangles, CUBE[:, 2] - 0.5, {"vertices": CUBE, "normals": normals})
    count = len(arrays["vertices"])
    hemmed, longer = mesh.hem(cut, arrays, edges, 0.1)
    assert len(hemmed) == len(cut) + 2 * len(edges)
    moved = longer["vertices"][count:] - arrays["vertices"][np.unique(edges)]
    np.testing.assert_allclose(moved, -0.1 * arrays["normals"][np.unique(edges)])


def test_neighbour_mean_is_the_mean() -> None:
    matrix = mesh.neighbour_mean(CUBE_QUADS, 8)
    np.testing.assert_allclose(matrix @ CUBE, CUBE / 3, atol=1e-6)  # two neighbours keep a coordinate, one turns it


def test_a_hem_faces_the_same_way_as_its_cloth() -> None:
    triangles = mesh.triangulate(CUBE_QUADS)
    normals = mesh.vertex_normals(CUBE, triangles)
    cut, arrays, edges = mesh.clip(triangles, CUBE[:, 2] - 0.5, {"vertices": CUBE, "normals": normals})
    hemmed, _ = mesh.hem(cut, arrays, edges, 0.1)
    directed = np.concatenate([hemmed[:, [0, 1]], hemmed[:, [1, 2]], hemmed[:, [2, 0]]])
    along_the_rim = {tuple(edge) for edge in edges.tolist()}
    used = [tuple(edge) for edge in directed.tolist()]
    # Neighbours that face the same way walk their common edge in opposite directions.
    rim_uses = [edge for edge in used if edge in along_the_rim or edge[::-1] in along_the_rim]
    assert len(rim_uses) == len(set(rim_uses)) == 2 * len(edges)
