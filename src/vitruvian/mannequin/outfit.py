"""Outfits: what is worn, drawn by lot with its labels, and how it is put on a person.

An :class:`Outfit` is a description; a :class:`Wardrobe` is that outfit cut to one identity. The lengths of
sleeves and legs are continuous, and :meth:`Outfit.labels` says them exactly.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from vitruvian.mannequin.body import Body
from vitruvian.mannequin.fabric import Fabric, Pattern, Rgb, draw, palette, sample_fabric, solid
from vitruvian.mannequin.fields import Limbs
from vitruvian.mannequin.garments import NeckKind, Top
from vitruvian.mannequin.legwear import Skirt, Trousers
from vitruvian.mannequin.shoes import HeelKind, ShoeKind, Shoes
from vitruvian.mannequin.wardrobe import Wardrobe

__all__ = ["Outfit", "Wardrobe", "sample_outfit"]


@dataclass(frozen=True, slots=True)
class Outfit:
    """Everything one person wears; absent things are None."""

    kind: str
    top: Top
    shoes: Shoes
    bottom: Trousers | None = None
    skirt: Skirt | None = None
    outer: Top | None = None
    tucked: bool = False
    is_dress: bool = False
    belt: Fabric | None = None
    buttons: Rgb = (0.7, 0.7, 0.68)
    """Linear RGB."""

    def labels(self) -> dict[str, Any]:
        """What a picture of it can be labelled with. Always the same keys; None for absent things.

        sleeve_length: 0 shoulder (or none) to 1 wrist; bottom_length: 0 hip to 1 ankle, on one scale for
        trousers, skirts and dresses.
        """
        lower = self.bottom or self.skirt
        assert lower is not None
        outer = self.outer
        return {
            "kind": self.kind,
            "dress": self.is_dress,
            "tucked": self.tucked,
            "top": self.top.kind,
            "sleeve_length": float(np.clip(self.top.sleeve, 0, 1)),
            "top_length": float(self.top.hem),
            "top_looseness": float(self.top.looseness),
            "neck": self.top.neck,
            "collar": self.top.trim,
            **_colours("top", self.top.fabric),
            "bottom": lower.kind,
            "bottom_length": self.bottom_length,
            "bottom_looseness": float(self.bottom.looseness) if self.bottom else None,
            "flare": float(lower.flare),
            **_colours("bottom", lower.fabric),
            "outer": outer.kind if outer else None,
            "outer_length": float(outer.hem) if outer else None,
            "outer_sleeve_length": float(outer.sleeve) if outer else None,
            **_colours("outer", outer.fabric if outer else None),
            "shoes": self.shoes.kind,
            "shoe_colour": self.shoes.fabric.name,
            "sole_colour": self.shoes.sole_name,
            "heel": self.shoes.heel,
            "heel_lift": float(self.shoes.heel_lift),
            "belt": self.belt is not None,
        }

    @property
    def bottom_length(self) -> float:
        """0 hip to 1 ankle."""
        if self.bottom:
            return float(self.bottom.length)
        assert self.skirt is not None
        limbs = Limbs.of(Body.load())
        return float((limbs.hip_height - self.skirt.hem) / (limbs.hip_height - limbs.ankle_height))


def _colours(name: str, fabric: Fabric | None) -> dict[str, Any]:
    if fabric is None:
        return {f"{name}_colour": None, f"{name}_second_colour": None, f"{name}_pattern": None}
    return {
        f"{name}_colour": fabric.name,
        f"{name}_second_colour": fabric.second_name or None,
        f"{name}_pattern": fabric.pattern.label,
    }


# --------------------------------------------------------------------------------------- drawn by lot

TOP_WEIGHTS = {
    "male": {
        "tee": 0.30,
        "longsleeve": 0.08,
        "shirt": 0.22,
        "polo": 0.08,
        "sweater": 0.12,
        "hoodie": 0.13,
        "tank": 0.07,
    },
    "female": {
        "tee": 0.22,
        "longsleeve": 0.10,
        "blouse": 0.14,
        "shirt": 0.11,
        "sweater": 0.13,
        "hoodie": 0.07,
        "tank": 0.10,
        "camisole": 0.07,
        "turtleneck": 0.06,
    },
}
OUTER_WEIGHTS = {
    "male": {"blazer": 0.35, "jacket": 0.25, "hooded jacket": 0.2, "cardigan": 0.1, "coat": 0.1},
    "female": {"blazer": 0.27, "jacket": 0.2, "hooded jacket": 0.08, "cardigan": 0.3, "coat": 0.15},
}
OUTER_SHARE = 0.26
LOWER_WEIGHTS = {
    "male": {"trousers": 0.78, "shorts": 0.22},
    "female": {"trousers": 0.46, "shorts": 0.10, "skirt": 0.20, "dress": 0.24},
}
SHOE_WEIGHTS: dict[str, dict[ShoeKind, float]] = {
    "male": {"sneaker": 0.48, "boot": 0.22, "loafer": 0.25, "sandal": 0.05},
    "female": {"sneaker": 0.32, "boot": 0.18, "pump": 0.27, "loafer": 0.15, "sandal": 0.08},
}
SHOE_COLOURS = {"white": 3, "black": 4, "brown": 2, "camel": 1, "navy": 1, "red": 0.7, "grey": 1, "beige": 1}
WOMENS_NECKS: dict[NeckKind, float] = {"crew": 0.3, "v": 0.25, "scoop": 0.25, "boat": 0.15, "mock": 0.05}
MENS_NECKS: dict[NeckKind, float] = {"crew": 0.72, "v": 0.2, "mock": 0.08}


def sample_outfit(rng: np.random.Generator, gender: str) -> Outfit:
    """An outfit for a 'male' or 'female' person."""
    lower = draw(rng, LOWER_WEIGHTS[gender])
    has_outer = rng.random() < OUTER_SHARE
    waist = float(rng.uniform(0.20, 0.25))
    if lower == "dress":
        outfit = _dress(rng)
    else:
        top = _top(rng, gender, draw(rng, TOP_WEIGHTS[gender]))
        tucked = lower == "skirt" or (rng.random() < _tuck_share(gender, top) and not has_outer)
        top = _tucked(top, waist) if tucked else top
        if lower == "skirt":
            outfit = Outfit("skirt", top, _shoes(rng, gender, None), skirt=_skirt(rng), tucked=True)
        else:
            bottom = _trousers(rng, gender, lower, waist, tucked)
            shoe = _shoes(rng, gender, bottom)
            outfit = Outfit(lower, top, shoe, bottom=bottom, tucked=tucked)
            if tucked and rng.random() < 0.45:
                outfit = replace(outfit, belt=_leather(str(rng.choice(["black", "brown", "camel"]))))
    if has_outer and outfit.top.kind != "hoodie":
        outfit = _with_outer(rng, gender, outfit)
    return replace(outfit, buttons=palette(str(rng.choice(["white", "cream", "brown", "black"]))))


def _tuck_share(gender: str, top: Top) -> float:
    if top.kind in ("hoodie", "sweater"):
        return 0.05
    return 0.3 if gender == "male" else 0.5


def _tucked(top: Top, waist: float) -> Top:
    """Held by the waistband: the hem must end under its lower rim."""
    return replace(top, hem=waist - 0.04, looseness=0.18 * top.looseness, thickness=0.005, hem_room=0.0, cuffs=False)


def _sleeve(rng: np.random.Generator) -> float:
    """Short, middle or long, continuous."""
    spans = {(0.14, 0.40): 0.5, (0.40, 0.86): 0.17, (0.86, 1.0): 0.33}
    return float(rng.uniform(*draw(rng, spans)))


def _top(rng: np.random.Generator, gender: str, kind: str) -> Top:
    """A top worn over the waistband."""
    male = gender == "male"
    loose = float(rng.uniform(0.25, 0.85) if male else rng.uniform(0.05, 0.65))
    base = Top(
        fabric=sample_fabric(rng, "top"),
        kind=kind,
        sleeve=_sleeve(rng),
        hem=float(rng.uniform(0.10 - 0.16 * loose, 0.15)),
        neck=draw(rng, MENS_NECKS if male else WOMENS_NECKS),
        looseness=loose,
        thickness=0.012,
        neck_depth=float(rng.uniform(0.05, 0.13)),
        neck_width=float(rng.uniform(0.07, 0.10)),
        hem_room=0.010,
        sleeve_width=0.6,
    )
    if kind == "tee":
        return replace(base, sleeve=float(rng.uniform(0.14, 0.55)), sleeve_width=1.2)
    if kind == "longsleeve":
        return replace(base, sleeve=float(rng.uniform(0.55, 1.0)), sleeve_width=0.5)
    if kind in ("shirt", "polo"):
        return _shirt(rng, base)
    if kind in ("sweater", "hoodie"):
        return _knitwear(rng, base)
    if kind in ("tank", "camisole"):
        return _sleeveless(rng, base, thin=kind == "camisole")
    if kind == "turtleneck":
        return replace(base, neck="turtle", sleeve=float(rng.uniform(0.6, 1.0)), sleeve_width=0.4)
    return replace(base, sleeve=_sleeve(rng), sleeve_width=1.3, fabric=sample_fabric(rng, "dress"))


def _shirt(rng: np.random.Generator, base: Top) -> Top:
    polo = base.kind == "polo"
    sleeve = rng.uniform(0.2, 0.4) if polo or rng.random() < 0.25 else rng.uniform(0.5, 1.0)
    fabric = sample_fabric(rng, "shirt", pattern=Pattern.PLAIN if polo and rng.random() < 0.7 else None)
    return replace(
        base,
        sleeve=float(sleeve),
        neck="shirt",
        neck_depth=float(rng.uniform(0.03, 0.09)),
        neck_width=0.05,
        looseness=0.75 * base.looseness,
        sleeve_width=0.9 if sleeve < 0.5 else 0.55,
        trim="polo" if polo else "collar",
        fabric=fabric,
    )


def _knitwear(rng: np.random.Generator, base: Top) -> Top:
    hoodie = base.kind == "hoodie"
    pattern = None if hoodie or rng.random() < 0.4 else Pattern.KNIT
    return replace(
        base,
        sleeve=float(rng.uniform(0.9, 1.0)),
        neck="crew" if hoodie or base.neck == "boat" else base.neck,
        looseness=float(rng.uniform(0.5, 0.9)),
        thickness=0.016,
        hem=float(rng.uniform(0.09, 0.15)),
        sleeve_width=0.6,
        cuffs=True,
        trim="hood" if hoodie else "none",
        fabric=sample_fabric(rng, "sweat", pattern=pattern),
    )


def _sleeveless(rng: np.random.Generator, base: Top, *, thin: bool) -> Top:
    top = replace(base, sleeve=float(rng.uniform(-0.2, -0.03)), neck="scoop", looseness=0.6 * base.looseness)
    if thin:
        return replace(
            top,
            neck="strap",
            straps="thin" if rng.random() < 0.6 else "broad",
            looseness=0.3 * base.looseness,
        )
    return top


def _trousers(rng: np.random.Generator, gender: str, kind: str, waist: float, tucked: bool) -> Trousers:
    male = gender == "male"
    spans = {(0.92, 1.0): 0.8, (0.7, 0.92): 0.2} if kind == "trousers" else {(0.16, 0.35): 0.4, (0.35, 0.62): 0.6}
    fabric = sample_fabric(rng, "bottom")
    length = float(rng.uniform(*draw(rng, spans)))
    denim = fabric.pattern == Pattern.DENIM
    return Trousers(
        fabric=fabric,
        kind=("jeans" if denim else "trousers") if kind == "trousers" else kind,
        length=length,
        waist=waist,
        looseness=float(rng.uniform(0.2, 0.8) if male else rng.uniform(0.05, 0.8)),
        flare=float(rng.beta(1.3, 2.0)),
        thickness=0.008 if tucked else 0.004,
        turn_up=bool(rng.random() < (0.25 if denim else 0.08)),
    )


def _skirt(rng: np.random.Generator) -> Skirt:
    pencil = rng.random() < 0.25
    return Skirt(
        fabric=sample_fabric(rng, "skirt"),
        kind="skirt",
        length=float(rng.uniform(0.42, 0.62) if pencil else rng.uniform(0.33, 0.95)),
        flare=float(rng.uniform(-0.06, 0.02) if pencil else rng.uniform(0.05, 0.45)),
        wave=float(rng.uniform(0, 0.1) if pencil else rng.uniform(0.15, 1.0)),
        pleats=int(rng.integers(6, 16)),
        thickness=0.011,
        phase=float(rng.uniform(0, 6)),
    )


def _dress(rng: np.random.Generator) -> Outfit:
    fabric = sample_fabric(rng, "dress")
    sleeveless = rng.random() < 0.35
    top = replace(
        _top(rng, "female", "camisole" if sleeveless and rng.random() < 0.5 else "longsleeve"),
        fabric=fabric,
        kind="dress",
        hem=0.20,
        looseness=0.0,
        thickness=0.005,
        hem_room=0.0,
    )
    top = replace(top, sleeve=float(rng.uniform(-0.2, -0.03)) if sleeveless else _sleeve(rng))
    if sleeveless and top.straps == "none":
        top = replace(top, neck=draw(rng, {"scoop": 0.5, "v": 0.3, "boat": 0.2}))
    skirt = replace(
        _skirt(rng),
        fabric=fabric,
        kind="dress",
        thickness=0.008,
        waist=0.262,
        length=float(rng.uniform(0.34, 0.96)),
    )
    return Outfit("dress", top, _shoes(rng, "female", None), skirt=skirt, tucked=True, is_dress=True)


def _with_outer(rng: np.random.Generator, gender: str, outfit: Outfit) -> Outfit:
    kind = draw(rng, OUTER_WEIGHTS[gender])
    outer = _outer(rng, kind)
    # What is worn below must be thin: cloth of two layers does not know of each other.
    top = outfit.top
    top = replace(
        top,
        looseness=min(top.looseness, 0.2),
        hem_room=0.0,
        thickness=min(top.thickness, 0.007),
        sleeve=min(top.sleeve, 0.9),
        sleeve_width=min(top.sleeve_width, 0.4),
    )
    # A top that is longer than a short jacket must not end under its edge, where they would mix.
    if not outfit.tucked and outer.hem - 0.05 < top.hem < outer.hem + 0.02:
        top = replace(top, hem=outer.hem + 0.02)
    return replace(outfit, top=top, outer=outer)


def _outer(rng: np.random.Generator, kind: str) -> Top:
    use = {"coat": "coat", "cardigan": "cardigan"}.get(kind, "outer")
    outer = Top(
        fabric=sample_fabric(rng, use),
        kind=kind,
        sleeve=float(rng.uniform(0.94, 1.02)),
        hem=float(rng.uniform(-0.02, 0.13)),
        neck="crew",
        looseness=float(rng.uniform(0.45, 0.75)),
        thickness=0.022,
        hem_room=0.010,
        sleeve_width=0.45,
        opening=_opening(rng, (0.055, 0.05, 0.05, 0.06, 0.082)),
    )
    if kind in ("blazer", "coat"):
        closed = rng.random() < 0.5
        widths = (0.030, 0.010, 0.004, 0.062, 0.080) if closed else (0.065, 0.050, 0.048, 0.070, 0.082)
        outer = replace(outer, neck="shirt", trim="lapel", opening=_opening(rng, widths), looseness=0.5)
    if kind == "jacket":
        outer = replace(outer, trim="collar" if rng.random() < 0.6 else "none", neck="shirt", cuffs=rng.random() < 0.4)
    if kind == "hooded jacket":
        outer = replace(outer, trim="hood", cuffs=True, fabric=sample_fabric(rng, "cardigan"))
    if kind == "coat":
        outer = replace(outer, hem=float(rng.uniform(-0.42, -0.12)), hem_room=0.012)
    return outer


def _opening(rng: np.random.Generator, widths: tuple[float, ...]) -> tuple[float, ...]:
    scale = float(rng.uniform(0.75, 1.3))
    return tuple(scale * width for width in widths)


def _shoes(rng: np.random.Generator, gender: str, bottom: Trousers | None) -> Shoes:
    kind = draw(rng, SHOE_WEIGHTS[gender])
    colour = draw(rng, SHOE_COLOURS)
    leather = _leather(colour)
    black, white = (palette("black"), "black"), (palette("white", 0.92), "white")
    if kind == "sneaker":
        sole = white if colour != "white" or rng.random() < 0.6 else (palette("camel"), "camel")
        return Shoes(replace(leather, specular=0.12, gloss=14.0), kind, float(rng.uniform(0.014, 0.025)), *sole)
    if kind == "boot":
        # The shaft would poke through long trousers, so under them it ends at the ankle.
        under_trousers = bottom is not None and bottom.length > 0.55
        top = -0.70 if under_trousers else float(rng.uniform(-0.68, -0.45))
        lift: float = 0.0 if gender == "male" else float(rng.choice([0, 14]))
        boot = replace(leather, fold_amplitude=0.15, fold_frequency=16.0)
        return Shoes(boot, kind, 0.018, *black, top=top, heel_lift=lift, heel="block" if lift else "none")
    if kind == "pump":
        heel: HeelKind = draw(rng, {"stiletto": 0.5, "block": 0.5})
        return Shoes(leather, kind, 0.006, leather.base, colour, heel_lift=float(rng.uniform(10, 32)), heel=heel)
    if kind == "sandal":
        return Shoes(leather, kind, float(rng.uniform(0.012, 0.022)), palette("camel", 0.7), "camel")
    return Shoes(leather, kind, 0.014, *black)


def _leather(name: str) -> Fabric:
    return solid(name, specular=0.35, gloss=34.0, fold_amplitude=0.05, fuzz=0.05)
