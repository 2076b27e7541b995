"""An outfit cut to one person: garments in rest space, the skin they hide, their materials."""

from __future__ import annotations

import functools
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from vitruvian.mannequin import garments, legwear, mesh, shoes, trims
from vitruvian.mannequin.body import Body, Rest
from vitruvian.mannequin.cloth import (
    UNDER_LAYER,
    Cut,
    Shape,
    Sheet,
    Spots,
    bone_transforms,
    cut_out,
    joined,
    shrunk,
)
from vitruvian.mannequin.fields import FACE, Charted, Fields
from vitruvian.mannequin.garments import Top
from vitruvian.mannequin.labels import Semantic
from vitruvian.mannequin.legwear import Skirt, Trousers
from vitruvian.mannequin.materials import MaterialTable, Slot

if TYPE_CHECKING:
    from vitruvian.mannequin.outfit import Outfit
    from vitruvian.mannequin.pose import Posed

COVERED = 0.012  # metres from a garment's edge at which skin under it is left out
COVERED_PER_LOOSENESS = 0.015  # one can look further into a wide sleeve
UNDER_SKIRT = 0.03
SKIRT_FOLDS = 0.45


class Wardrobe:
    """An outfit cut to one identity: shaped once in rest space, then only skinned for each pose."""

    def __init__(self, body: Body, rest: Rest, outfit: Outfit) -> None:
        self._body = body
        self._rest = rest
        self._outfit = outfit
        self.heel_lift = outfit.shoes.heel_lift
        """Degrees."""
        self.sole = outfit.shoes.sole
        """Metres."""
        self.sheets = joined([*self._tops(), *self._lower(), *self._shoes()])

    def dress(self, posed: Posed) -> list[mesh.Piece]:
        """The garments in a pose."""
        transforms = bone_transforms(self._rest, posed)
        return [sheet.posed(transforms) for sheet in self.sheets]

    def covered(self, charted: Charted) -> np.ndarray:
        """One boolean per triangle of the bare body: hidden under cloth, so it need not be drawn."""
        under = self._skin_cover(Spots.of(charted)) > 0
        under &= ~_is_face(charted)
        return np.all(under[charted.triangles], axis=1)

    def set_materials(self, table: MaterialTable) -> None:
        """Fill the rows of everything worn."""
        outfit = self._outfit
        top_class = Semantic.DRESS if outfit.is_dress else Semantic.TOP
        table.set_cloth(Slot.TOP, outfit.top.fabric, top_class)
        table.set_plain(Slot.LINING, outfit.buttons, top_class, specular=0.3)
        if outfit.outer:
            table.set_cloth(Slot.OUTER, outfit.outer.fabric, Semantic.OUTER)
        if outfit.bottom:
            table.set_cloth(Slot.BOTTOM, outfit.bottom.fabric, Semantic.BOTTOM)
        if outfit.skirt:
            # a skirt has folds of its own, and does not bunch at the knee
            cloth = outfit.skirt.fabric
            calm = replace(cloth, fold_amplitude=SKIRT_FOLDS * cloth.fold_amplitude)
            table.set_cloth(Slot.SKIRT, calm, Semantic.DRESS if outfit.is_dress else Semantic.SKIRT)
        if outfit.belt:
            table.set_leather(Slot.ACCESSORY, outfit.belt, Semantic.ACCESSORY)
        table.set_leather(Slot.SHOES, outfit.shoes.fabric, Semantic.SHOES)
        table.set_plain(Slot.HEEL, outfit.shoes.sole_colour, Semantic.SHOES)

    def _skin_cover(self, spots: Spots) -> np.ndarray:
        """Metres that skin lies inside the nearest garment's hiding zone."""
        outfit = self._outfit
        tops = [top for top in (outfit.top, outfit.outer) if top]
        covers = [shrunk(top.cut(), _margin(top.looseness)) for top in tops]
        if outfit.bottom:
            covers.append(shrunk(outfit.bottom.cut(), _margin(outfit.bottom.looseness)))
        skirts = [outfit.skirt, *(top.skirt_piece() for top in tops)]
        covers += [shrunk(skirt.cut(), UNDER_SKIRT) for skirt in skirts if skirt]
        if outfit.shoes.kind != "sandal":
            covers.append(shrunk(outfit.shoes.cut(), 0.006 if outfit.shoes.kind == "pump" else COVERED))
        return functools.reduce(np.maximum, (cover(spots) for cover in covers))

    def _tops(self) -> list[Sheet]:
        outfit, outer = self._outfit, self._outer_cut()
        sheets = self._top_sheets(outfit.top, Slot.TOP, [outer] if outer else [])
        if outfit.outer:
            sheets += self._top_sheets(outfit.outer, Slot.OUTER, [])
        return sheets

    def _top_sheets(self, top: Top, slot: Slot, upper: list[Cut]) -> list[Sheet]:
        """A top under others, with its trims."""
        cloth = garments.blank()
        shape = garments.shape_top(top, self._rest)
        drop = _under(upper, cloth.spots)
        sheets = [cut_out(cloth, shape, top.cut()(cloth.spots), slot, drop=drop)]
        sheets += trims.top_trims(top, shape, cloth, slot, Slot.LINING, drop)
        if skirt := top.skirt_piece():
            sheets.append(_skirt_sheet(skirt, self._rest, slot, above=shape))
        return sheets

    def _outer_cut(self) -> Cut | None:
        return self._outfit.outer.cut() if self._outfit.outer else None

    def _lower(self) -> list[Sheet]:
        outfit = self._outfit
        sheets = []
        if outfit.skirt:
            sheets.append(_skirt_sheet(outfit.skirt, self._rest, Slot.SKIRT))
        if outfit.bottom:
            sheets += self._trouser_sheets(outfit.bottom)
        return sheets

    def _trouser_sheets(self, trousers: Trousers) -> list[Sheet]:
        outfit, cloth = self._outfit, legwear.trouser_blank()
        shape = legwear.shape_trousers(trousers, self._rest)
        upper = [cut for cut in (self._outer_cut(), None if outfit.tucked else outfit.top.cut()) if cut]
        drop = _under(upper, cloth.spots)
        sheets = [cut_out(cloth, shape, trousers.cut()(cloth.spots), Slot.BOTTOM, drop=drop)]
        sheets += trims.trouser_trims(trousers, shape, cloth, Slot.BOTTOM, waistband=outfit.tucked)
        if outfit.belt:
            sheets.append(trims.belt(trousers, shape, cloth, Slot.ACCESSORY))
        return sheets

    def _shoes(self) -> list[Sheet]:
        trousers = self._outfit.bottom
        under = _under([trousers.cut()] if trousers else [], shoes.blank().spots)
        return shoes.make_shoes(self._outfit.shoes, self._rest, drop=under)


def _skirt_sheet(skirt: Skirt, rest: Rest, slot: Slot, *, above: Shape | None = None) -> Sheet:
    cloth = legwear.skirt_blank()
    return cut_out(cloth, legwear.shape_skirt(skirt, rest, above=above), skirt.cut()(cloth.spots), slot)


def _margin(looseness: float) -> float:
    return COVERED + COVERED_PER_LOOSENESS * looseness


def _under(upper: list[Cut], spots: Spots) -> np.ndarray | None:
    """Metres that cloth lies inside the hiding zone of the garments above it; None if there are none."""
    if not upper:
        return None
    return functools.reduce(np.maximum, (cut(spots) - UNDER_LAYER for cut in upper))


@functools.cache
def _is_face(charted: Charted) -> np.ndarray:
    region = Fields.of(Body.load()).region.astype(np.float32)
    return np.abs(charted.of(region) - FACE) < 0.5
