"""The material table: one row of numbers per slot, read by the renderer's kernel.

A :class:`Slot` says which thing a triangle belongs to (body, top, hair ...); its row of the
:class:`MaterialTable` says how that thing looks. Columns are named by :class:`Column`; colours are linear RGB
and take three columns each, the named one being red. A column that a surface kind does not use stays 0.
"""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING

import numpy as np

from vitruvian.mannequin.labels import Semantic

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vitruvian.mannequin.fabric import Fabric
    from vitruvian.mannequin.identity import Skin

EYE_CENTRE_X = 0.0314  # template metres; the left eye is at +x, the right one at -x
EYE_CENTRE_Z = 0.9038
IRIS_RADIUS = 0.0061


class Slot(IntEnum):
    """Rows of the material table."""

    BODY = 0
    EYES = 1
    LASHES = 2
    TOP = 3
    OUTER = 4
    BOTTOM = 5
    SKIRT = 6
    SHOES = 7
    HAIR = 8
    ACCESSORY = 9
    HEEL = 10
    LINING = 11


class Surface(IntEnum):
    """Which branch of the shading kernel a row takes."""

    SKIN = 0
    EYE = 1
    CLOTH = 2
    HAIR = 3
    LEATHER = 4  # cloth without weave and fuzz
    PLAIN = 5
    LASH = 6


class Column(IntEnum):
    """Columns of the material table."""

    SURFACE = 0
    SEMANTIC = 1
    BASE = 2  # cloth, leather, plain: colour; skin: tone; eyes: iris; hair: dark tone
    SECOND = 5  # cloth: second colour; skin: lips; hair: light tone
    THIRD = 8  # cloth: third colour; skin: brows
    SPECULAR = 11
    GLOSS = 12  # exponent of the highlight
    FUZZ = 13  # brightening at grazing angles
    PATTERN = 14
    PERIOD = 15  # metres
    FOLD_AMPLITUDE = 16
    FOLD_FREQUENCY = 17  # per metre
    SEED = 18
    Q = 19  # two free numbers of the pattern
    R = 20
    EYE_SHADOW = 21
    EYE_SHADOW_AMOUNT = 24
    BLUSH = 25
    STUBBLE = 26
    BROW_INNER = 27  # template |x| where the brow starts and ends
    BROW_OUTER = 28
    BROW_HEIGHT = 29  # template z
    BROW_ARCH = 30
    BROW_DROP = 31
    BROW_THICKNESS = 32  # half width in metres
    IRIS_RADIUS = 33
    COMB = 34  # lashes: teeth per radian
    CUT = 35  # lashes: share combed away at the root, and how much more towards the tip
    CUT_SLOPE = 36
    STREAKS = 37  # hair: streaks across one clump
    TIPS = 38  # hair: lightening towards the tips


COLUMNS = 40
ROWS = len(Slot)


class MaterialTable:
    """The table ``rows`` (float32, ``ROWS`` x ``COLUMNS``) and one method for each kind of row."""

    def __init__(self) -> None:
        self.rows = np.zeros((ROWS, COLUMNS), np.float32)

    def set_body(self, skin: Skin) -> None:
        """Skin with painted lips, brows, cheeks, stubble and eye shadow. Regions come with the vertices."""
        row = self._start(Slot.BODY, Surface.SKIN, Semantic.TORSO_SKIN)
        _colour(row, Column.BASE, skin.tone)
        _colour(row, Column.SECOND, skin.lip)
        _colour(row, Column.THIRD, skin.brow)
        _colour(row, Column.EYE_SHADOW, skin.shadow)
        row[Column.EYE_SHADOW_AMOUNT] = skin.shadow_amount
        row[Column.BLUSH] = skin.blush
        row[Column.STUBBLE] = skin.stubble
        row[Column.SPECULAR] = 0.18
        row[Column.GLOSS] = 18
        row[Column.FUZZ] = 0.06
        row[Column.BROW_INNER] = 0.0125
        row[Column.BROW_OUTER] = 0.054
        row[Column.BROW_HEIGHT] = skin.brow_height
        row[Column.BROW_ARCH] = 0.0045
        row[Column.BROW_DROP] = 0.012
        row[Column.BROW_THICKNESS] = skin.brow_thickness

    def set_eyes(self, iris: Sequence[float]) -> None:
        """Eye balls with an iris of this linear colour."""
        row = self._start(Slot.EYES, Surface.EYE, Semantic.FACE)
        _colour(row, Column.BASE, iris)
        row[Column.SPECULAR] = 0.9
        row[Column.GLOSS] = 220
        row[Column.IRIS_RADIUS] = IRIS_RADIUS

    def set_lashes(self, colour: Sequence[float], cut: float) -> None:
        """Strips of lashes; ``cut`` 0..1 is the share combed away at the root (short: .45)."""
        row = self._start(Slot.LASHES, Surface.LASH, Semantic.FACE)
        _colour(row, Column.BASE, colour)
        row[Column.COMB] = 150
        row[Column.CUT] = cut
        row[Column.CUT_SLOPE] = 0.55

    def set_hair(self, dark: Sequence[float], light: Sequence[float], *, shine: float = 1.0, tips: float = 0.0) -> None:
        """Hair between two linear tones; ``tips`` lightens (or, negative, darkens) towards the ends."""
        row = self._start(Slot.HAIR, Surface.HAIR, Semantic.HAIR)
        _colour(row, Column.BASE, dark)
        _colour(row, Column.SECOND, light)
        row[Column.SPECULAR] = shine
        row[Column.GLOSS] = 70
        row[Column.FUZZ] = 0.1
        row[Column.STREAKS] = 9
        row[Column.TIPS] = tips

    def set_cloth(self, slot: Slot, fabric: Fabric, semantic: Semantic) -> None:
        """Woven or knitted cloth."""
        self._set_fabric(slot, Surface.CLOTH, fabric, semantic)

    def set_leather(self, slot: Slot, fabric: Fabric, semantic: Semantic) -> None:
        """Smooth material of shoes and belts: patterns and folds as cloth, without weave."""
        self._set_fabric(slot, Surface.LEATHER, fabric, semantic)

    def set_plain(self, slot: Slot, colour: Sequence[float], semantic: Semantic, *, specular: float = 0.2) -> None:
        """One colour, such as a heel."""
        row = self._start(slot, Surface.PLAIN, semantic)
        _colour(row, Column.BASE, colour)
        row[Column.SPECULAR] = specular
        row[Column.GLOSS] = 30

    def _set_fabric(self, slot: Slot, surface: Surface, fabric: Fabric, semantic: Semantic) -> None:
        row = self._start(slot, surface, semantic)
        _colour(row, Column.BASE, fabric.base)
        _colour(row, Column.SECOND, fabric.second)
        _colour(row, Column.THIRD, fabric.third)
        row[Column.SPECULAR] = fabric.specular
        row[Column.GLOSS] = fabric.gloss
        row[Column.FUZZ] = fabric.fuzz
        row[Column.PATTERN] = int(fabric.pattern)
        row[Column.PERIOD] = fabric.period
        row[Column.FOLD_AMPLITUDE] = fabric.fold_amplitude
        row[Column.FOLD_FREQUENCY] = fabric.fold_frequency
        row[Column.SEED] = fabric.seed
        row[Column.Q] = fabric.q
        row[Column.R] = fabric.r

    def _start(self, slot: Slot, surface: Surface, semantic: Semantic) -> np.ndarray:
        row = self.rows[slot]
        row[:] = 0
        row[Column.SURFACE] = surface
        row[Column.SEMANTIC] = semantic
        return row


def _colour(row: np.ndarray, column: Column, rgb: Sequence[float]) -> None:
    row[column : column + 3] = rgb
