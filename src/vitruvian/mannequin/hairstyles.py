"""The table of hair styles. Lengths in metres; directions are x (sideways), y (backwards is +), z (up)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Style:
    """Loose hair: how strands start, how they bend, where they end."""

    roots: int
    length: float
    steps: int = 13
    width: float = 0.0086  # of a clump
    flatness: float = 0.30  # thickness of a clump over its width
    parting: float = 0.0  # x of the parting
    sideways: float = 1.0  # combing direction at the roots
    back: float = 0.25
    up: float = 0.15
    lift: float = 0.008  # distance from the skull
    gravity: float = 0.35
    cut_height: float | None = None  # template z of the ends
    forward: float = 0.0  # combed into the forehead
    spike: float = 0.0  # share of the scalp's normal in the starting direction
    fringe: float = 0.0  # length of the fringe, 0 for none
    sweep: float = 0.0  # of the fringe, to one side
    curl: float = 0.0  # radius of the helix
    curl_turns: float = 22.0
    outward: float = 0.0  # flare below the chin
    inward: float = 0.0  # turn of the ends towards the neck
    behind: float = 0.5  # chance that the hair hangs behind the shoulders

    @property
    def has_strands(self) -> bool:
        """False for the bare scalp cap."""
        return self.roots > 0


@dataclass(frozen=True)
class Tied:
    """Hair drawn to one point, which ends in a tail or a wound ball."""

    tie: tuple[float, float, float]  # template metres
    tail: bool = False
    ball_radius: float = 0.033
    roots: int = 430

    @property
    def has_strands(self) -> bool:
        """Always."""
        return True


STYLES: dict[str, Style | Tied | None] = {
    "bald": None,
    "buzz": Style(roots=0, length=0.0),
    "crop": Style(1500, 0.040, 6, 0.0044, forward=0.8, up=0.2, lift=0.011, gravity=0.18),
    "sidepart": Style(1200, 0.075, 8, 0.0048, parting=0.03, back=0.45, up=0.4, lift=0.012, gravity=0.30),
    "slick": Style(1100, 0.085, 8, 0.0048, sideways=0.15, back=1.6, gravity=0.24),
    "spiky": Style(
        1000, 0.032, 6, 0.0045, sideways=0.2, back=-0.2, spike=0.7, up=0.3, lift=0.01, gravity=0.06
    ),
    "bob": Style(
        850, 0.27, 14, parting=0.02, back=0.35, up=0.1, lift=0.010, gravity=0.36, cut_height=0.79, inward=0.10
    ),
    "bobfringe": Style(
        850, 0.27, 14, back=0.35, up=0.1, lift=0.010, gravity=0.36, cut_height=0.785, inward=0.12,
        fringe=0.085,
    ),
    "shoulder": Style(
        850, 0.36, 16, 0.0088, parting=-0.025, back=0.42, up=0.1, lift=0.011, gravity=0.38, cut_height=0.68
    ),
    "long": Style(850, 0.58, 16, 0.0088, back=0.42, up=0.1, lift=0.009, gravity=0.42, cut_height=0.47),
    "longwavy": Style(
        850, 0.56, 18, 0.0090, parting=0.03, back=0.38, lift=0.013, gravity=0.38, cut_height=0.50,
        curl=0.006, curl_turns=9.0,
    ),
    "longfringe": Style(
        850, 0.55, 16, 0.0088, back=0.40, up=0.1, lift=0.012, gravity=0.40, cut_height=0.52, fringe=0.085
    ),
    "curlybob": Style(
        850, 0.26, 16, 0.0090, back=0.35, up=0.3, lift=0.022, gravity=0.30, cut_height=0.76,
        curl=0.007, curl_turns=20.0, outward=0.05,
    ),
    "afro": Style(
        1900, 0.055, 7, 0.0078, flatness=0.8, spike=1.0, sideways=0.0, back=0.0, up=0.0, lift=0.012,
        gravity=0.0, curl=0.008, curl_turns=40.0,
    ),
    "ponytail": Tied((0.0, 0.072, 0.955), tail=True),
    "bun": Tied((0.0, 0.066, 0.985)),
    "topbun": Tied((0.0, 0.0, 1.030)),
    "lowbun": Tied((0.0, 0.068, 0.875), ball_radius=0.030),
}  # fmt: skip
