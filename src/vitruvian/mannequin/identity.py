"""People: body shape, skin, eyes, make-up and hair, drawn by lot. Adults only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from vitruvian.mannequin.body import YOUNGEST_AGE, Body, Rest
from vitruvian.mannequin.colours import HAIR_COLOURS, IRIS_COLOURS, LIPSTICKS, Rgb, skin_tone

Gender = Literal["male", "female"]

OLD_AGE = 0.78  # on the age scale of the body; grey hair is common from here
OLDEST_AGE = 0.93
DARKNESS_OF_RACE = np.array([0.72, 0.28, 0.16])  # mean skin darkness: african, asian, caucasian
BROWN_EYES = 3  # the first colours of IRIS_COLOURS

# Style to weight; the styles are those of hairstyles.STYLES.
HAIR_STYLES: dict[Gender, dict[str, float]] = {
    "male": {
        "buzz": 0.12,
        "crop": 0.30,
        "sidepart": 0.30,
        "slick": 0.10,
        "spiky": 0.05,
        "shoulder": 0.04,
        "topbun": 0.02,
        "afro": 0.05,
        "curlybob": 0.02,
    },
    "female": {
        "bob": 0.09,
        "bobfringe": 0.08,
        "shoulder": 0.12,
        "long": 0.14,
        "longwavy": 0.14,
        "longfringe": 0.09,
        "curlybob": 0.06,
        "afro": 0.04,
        "ponytail": 0.11,
        "bun": 0.05,
        "topbun": 0.03,
        "lowbun": 0.03,
        "crop": 0.02,
    },
}
# Colour to weight; for the old, grey weighs _GREY_OF_OLD times black instead.
_HAIR_WEIGHTS = {
    "black": 3.0,
    "darkbrown": 3.0,
    "brown": 3.0,
    "auburn": 0.8,
    "ginger": 0.5,
    "darkblond": 1.2,
    "blond": 1.2,
    "platinum": 0.4,
    "grey": 0.3,
}
_DARK_HAIR_WEIGHTS = {"black": 0.60, "darkbrown": 0.27, "brown": 0.08, "grey": 0.05}
_GREY_OF_OLD = 1.0


@dataclass(frozen=True)
class Skin:
    """How a person's skin looks. Colours are linear RGB, lengths metres on the template."""

    tone: Rgb
    darkness: float  # 0 lightest .. 1 darkest tone of the palette
    lip: Rgb
    brow: Rgb
    shadow: Rgb  # of the upper lids
    shadow_amount: float  # 0..1
    blush: float  # reddening of the cheeks, 0..1
    stubble: float  # 0..1
    brow_thickness: float  # half width at the inner end
    brow_height: float  # z of the inner end


@dataclass(frozen=True, eq=False)
class Person:
    """An identity; hair_style is a key of ``hairstyles.STYLES``, hair_name of ``colours.HAIR_COLOURS``."""

    rest: Rest
    gender: Gender
    phenotype: dict[str, float]  # the controls of Body.sample_coefficients
    smile: float
    skin: Skin
    iris: Rgb
    hair_style: str
    hair_seed: int
    hair_name: str
    hair_colours: tuple[Rgb, Rgb]  # dark, light
    lash_cut: float  # share of the lashes combed away: short ones


def sample_person(rng: np.random.Generator, gender: Gender | None = None) -> Person:
    """A person drawn by lot."""
    gender = gender or ("male" if rng.random() < 0.5 else "female")
    phenotype = _sample_phenotype(rng, gender)
    smile = float(rng.uniform(0, 0.6)) if rng.random() < 0.7 else 0.0
    body = Body.load()
    rest = body.rest(body.sample_coefficients(rng, phenotype, smile=smile))

    race = np.array([phenotype[name] for name in ("african", "asian", "caucasian")])
    darkness = float(np.clip(race @ DARKNESS_OF_RACE + rng.normal(0, 0.10), 0, 1))
    hair_name = _sample_hair_colour(rng, darkness, phenotype)
    dark, light = HAIR_COLOURS[hair_name]
    irises = IRIS_COLOURS[:BROWN_EYES] if darkness > 0.4 else IRIS_COLOURS
    return Person(
        rest=rest,
        gender=gender,
        phenotype=phenotype,
        smile=smile,
        skin=_sample_skin(rng, gender, darkness, dark),
        iris=irises[int(rng.integers(len(irises)))],
        hair_style=_draw(rng, HAIR_STYLES[gender]),
        hair_seed=int(rng.integers(1 << 16)),
        hair_name=hair_name,
        hair_colours=(dark, light),
        lash_cut=0.45 if gender == "male" else 0.05,
    )


def _sample_phenotype(rng: np.random.Generator, gender: Gender) -> dict[str, float]:
    young = rng.random() < 0.75
    african, asian, caucasian = rng.dirichlet([0.55, 0.55, 0.70])
    values = {
        "gender": rng.uniform(0, 0.10) if gender == "male" else rng.uniform(0.90, 1),
        "age": rng.uniform(YOUNGEST_AGE, 0.72) if young else rng.uniform(0.72, OLDEST_AGE),
        "muscle": np.clip(rng.normal(0.55, 0.12), 0.2, 0.85),
        "weight": np.clip(rng.normal(0.45, 0.16), 0.12, 0.95),
        "height": np.clip(rng.normal(0.39, 0.055), 0.2, 0.65),  # about 1.78 m for men, 1.67 m for women
        "proportions": np.clip(rng.normal(0.65, 0.2), 0.1, 1),
        "cupsize": rng.uniform(0.25, 0.75),
        "firmness": rng.uniform(0.4, 0.8),
        "african": african,
        "asian": asian,
        "caucasian": caucasian,
    }
    return {name: float(value) for name, value in values.items()}


def _sample_hair_colour(rng: np.random.Generator, darkness: float, phenotype: dict[str, float]) -> str:
    is_dark = darkness > 0.5 or phenotype["asian"] > 0.6
    weights = dict(_DARK_HAIR_WEIGHTS if is_dark else _HAIR_WEIGHTS)
    if phenotype["age"] >= OLD_AGE:
        weights["grey"] = _GREY_OF_OLD * weights["black"]
    return _draw(rng, weights)


def _sample_skin(rng: np.random.Generator, gender: Gender, darkness: float, dark_hair: Rgb) -> Skin:
    tone = skin_tone(darkness) * np.sqrt(rng.uniform(0.95, 1.05, 3))
    lip = tone * [0.86, 0.50, 0.50] * rng.uniform(0.9, 1.05)
    is_female = gender == "female"
    make_up = float(rng.random()) if is_female else 0.0
    if make_up > 0.55:
        lip = 0.35 * lip + 0.65 * np.array(LIPSTICKS[int(rng.integers(len(LIPSTICKS)))])
    has_stubble = not is_female and rng.random() < 0.45
    return Skin(
        tone=_rgb(tone),
        darkness=darkness,
        lip=_rgb(lip),
        brow=_rgb(0.75 * np.array(dark_hair)),
        shadow=_rgb(tone * [0.55, 0.42, 0.42]),
        shadow_amount=0.35 * make_up,
        blush=0.25 + 0.3 * make_up,
        stubble=float(rng.uniform(0.15, 0.75)) if has_stubble else 0.0,
        brow_thickness=float(rng.uniform(0.0028, 0.0042) if is_female else rng.uniform(0.0042, 0.0058)),
        brow_height=float(0.9265 + rng.normal(0, 0.001)),
    )


def _draw(rng: np.random.Generator, weights: dict[str, float]) -> str:
    chances = np.array(list(weights.values()))
    return list(weights)[int(rng.choice(len(chances), p=chances / chances.sum()))]


def _rgb(values: Sequence[float] | np.ndarray) -> Rgb:
    red, green, blue = (float(value) for value in values)
    return red, green, blue
