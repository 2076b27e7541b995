"""Networks that others have published: where they are, how large, under which terms.

Addresses are the publishers' own. A hash is given where one is known; otherwise ``models download`` prints what it
found, so that it can be compared.
"""

from __future__ import annotations

from dataclasses import dataclass

NVIDIA_TERMS = "NVIDIA, non-commercial"
STYLEGAN_HUMAN_TERMS = "research only (SHHQ terms)"
ADOBE_TERMS = "research only"

_ADA = "https://nvlabs-fi-cdn.nvidia.com/stylegan2-ada-pytorch/pretrained"
_SG2 = "https://api.ngc.nvidia.com/v2/models/nvidia/research/stylegan2/versions/1/files"
_SG3 = "https://api.ngc.nvidia.com/v2/models/nvidia/research/stylegan3/versions/1/files"
_FACES, _UNALIGNED, _ART = "faces (FFHQ)", "faces, unaligned (FFHQ-U)", "faces of art (MetFaces)"
_HUMAN_PAGE = "https://github.com/stylegan-human/StyleGAN-Human#model-zoo"
_INSETGAN_PAGE = "https://github.com/afruehstueck/insetGAN"


@dataclass(frozen=True, kw_only=True)
class Published:
    """One file of somebody's zoo."""

    name: str
    """File name without its ending; what ``models download`` takes."""
    subject: str
    size: str
    """Height x width."""
    architecture: str
    licence: str
    address: str | None = None
    """Direct address; None where the publisher's page must be visited by hand."""
    page: str = ""
    sha256: str | None = None


def _nvidia(base: str, architecture: str, size: str, subjects: dict[str, str]) -> list[Published]:
    """Entries of one of NVIDIA's folders: name of the file to what it shows."""
    return [
        Published(
            name=name,
            subject=subject,
            size=size,
            architecture=architecture,
            licence=NVIDIA_TERMS,
            address=f"{base}/{name}.pkl",
        )
        for name, subject in subjects.items()
    ]


def _human(name: str, size: str, architecture: str) -> Published:
    return Published(
        name=name,
        subject="whole people (SHHQ)",
        size=size,
        architecture=architecture,
        licence=STYLEGAN_HUMAN_TERMS,
        page=_HUMAN_PAGE,
    )


PUBLISHED: tuple[Published, ...] = (
    _human("stylegan_human_v1_1024", "1024x512", "StyleGAN1"),
    _human("stylegan_human_v2_1024", "1024x512", "StyleGAN2"),
    _human("stylegan_human_v2_512", "512x256", "StyleGAN2"),
    _human("stylegan_human_v3_512", "512x256", "StyleGAN3"),
    Published(
        name="DeepFashion_1024x768",
        subject="whole people (DeepFashion), InsetGAN's canvas",
        size="1024x1024 (person in 768)",
        architecture="StyleGAN2",
        licence=ADOBE_TERMS,
        page=_INSETGAN_PAGE,
    ),
    *_nvidia(_ADA, "StyleGAN2-ADA", "1024x1024", {"ffhq": _FACES, "metfaces": _ART}),
    *_nvidia(_ADA, "StyleGAN2-ADA", "512x512", {"afhqcat": "cats", "afhqdog": "dogs", "afhqwild": "wild animals"}),
    *_nvidia(_SG2, "StyleGAN2", "1024x1024", {"stylegan2-ffhq-1024x1024": _FACES}),
    *_nvidia(_SG2, "StyleGAN2", "256x256", {"stylegan2-ffhq-256x256": _FACES}),
    *(
        entry
        for letter in ("t", "r")
        for entry in _nvidia(
            _SG3,
            f"StyleGAN3-{letter.upper()}",
            "1024x1024",
            {
                f"stylegan3-{letter}-ffhq-1024x1024": _FACES,
                f"stylegan3-{letter}-ffhqu-1024x1024": _UNALIGNED,
                f"stylegan3-{letter}-metfaces-1024x1024": _ART,
            },
        )
    ),
    *_nvidia(_SG3, "StyleGAN3-R", "256x256", {"stylegan3-r-ffhqu-256x256": _UNALIGNED}),
    *_nvidia(_SG3, "StyleGAN3-R", "512x512", {"stylegan3-r-afhqv2-512x512": "animals"}),
)


def find_published(name: str) -> Published | None:
    """The entry of that name, with or without its ending."""
    stem = name.removesuffix(".pkl")
    return next((entry for entry in PUBLISHED if entry.name == stem), None)
