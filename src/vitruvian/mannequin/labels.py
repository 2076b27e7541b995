"""What is known of every picture: semantic classes and the order of keypoints."""

from __future__ import annotations

from enum import IntEnum

import numpy as np


class Semantic(IntEnum):
    """Classes of the semantic map."""

    BACKGROUND = 0
    HAIR = 1
    FACE = 2
    TORSO_SKIN = 3  # with the neck
    ARM = 4
    HAND = 5
    LEG = 6
    FOOT = 7
    TOP = 8
    OUTER = 9
    BOTTOM = 10
    SKIRT = 11
    DRESS = 12
    SHOES = 13
    ACCESSORY = 14


COARSE_NAMES = ("background", "hair", "face", "skin", "top", "bottom", "shoes", "accessory")
# Semantic class -> index into COARSE_NAMES; a dress counts as a top, a skirt as a bottom.
COARSE_OF_SEMANTIC = np.array([0, 1, 2, 3, 3, 3, 3, 3, 4, 4, 5, 5, 4, 6, 7], np.uint8)

# COCO-18 in the order of OpenPose.
KEYPOINT_NAMES = (
    "nose",
    "neck",
    "right_shoulder",
    "right_elbow",
    "right_wrist",
    "left_shoulder",
    "left_elbow",
    "left_wrist",
    "right_hip",
    "right_knee",
    "right_ankle",
    "left_hip",
    "left_knee",
    "left_ankle",
    "right_eye",
    "left_eye",
    "right_ear",
    "left_ear",
)
HIDDEN_MARGIN = 0.16  # metres: a joint lies inside the body, so a surface this much nearer hides it


class Visibility(IntEnum):
    """Third number of a keypoint."""

    OUTSIDE = 0  # not in the picture
    HIDDEN = 1
    SEEN = 2


def coarse(semantic: np.ndarray) -> np.ndarray:
    """The semantic map merged to :data:`COARSE_NAMES` (uint8, same shape)."""
    return COARSE_OF_SEMANTIC[semantic]


def keypoint_visibility(xy: np.ndarray, distance: np.ndarray, depth: np.ndarray) -> np.ndarray:
    """Visibility of joints.

    xy: K x 2 pixel positions (x, y; the centre of the first pixel is .5, .5); distance: K, metres from the
    camera; depth: H x W, metres from the camera to the nearest surface, 0 where there is none.
    """
    height, width = depth.shape
    column, row = np.floor(xy).astype(int).T
    inside = (column >= 0) & (column < width) & (row >= 0) & (row < height)
    surface = depth[np.clip(row, 0, height - 1), np.clip(column, 0, width - 1)].astype(np.float64)
    hidden = (surface > 0) & (distance - surface > HIDDEN_MARGIN)
    return np.where(inside, np.where(hidden, Visibility.HIDDEN, Visibility.SEEN), Visibility.OUTSIDE)
