"""From options to the numbers of a run: the official base configurations and the rules that fill the rest."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from vitruvian.errors import OptionError
from vitruvian.options.train import TrainOptions

KIMG_PER_TICK, TICKS_PER_SNAPSHOT = 4, 50


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Every number of a run; ``options.json`` holds it, and nothing else decides what a run computes."""

    recipe: str
    height: int
    width: int
    img_channels: int
    c_dim: int
    total_kimg: int
    batch: int
    batch_gpu: int
    r1_gamma: float
    G_lr: float
    D_lr: float
    mbstd_group: int
    channel_base: int
    channel_max: int
    map_depth: int
    latent: int
    conv_clamp: float | None
    pl_weight: float
    style_mixing_prob: float
    G_reg_interval: int = 4
    D_reg_interval: int = 16
    ema_kimg: float
    ema_rampup: float | None
    tick_kimg: int
    snap_ticks: int
    seed: int

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, kw_only=True)
class _Base:
    """A row of the configuration table; None is filled by the rules of ``auto``."""

    kimg: int = 25000
    batch: int | None = None
    ref_gpus: int = 1
    mbstd: int | None = None
    fmaps: float | None = None
    lr: float | None = None
    gamma: float | None = None
    ema: float | None = None
    ramp: float | None = 0.05
    map_depth: int = 2
    channel_max: int = 512
    latent: int = 512
    pl_weight: float = 2.0
    mixing: float = 0.9


_FIXED = _Base(ref_gpus=8, map_depth=8, ramp=None)
BASES: dict[str, _Base] = {
    "auto": _Base(),
    "shhq": _Base(map_depth=8),
    "stylegan2": replace(_FIXED, batch=32, mbstd=4, fmaps=1, lr=0.002, gamma=10, ema=10),
    "paper256": replace(_FIXED, batch=64, mbstd=8, fmaps=0.5, lr=0.0025, gamma=1, ema=20),
    "paper512": replace(_FIXED, batch=64, mbstd=8, fmaps=1, lr=0.0025, gamma=0.5, ema=20),
    "paper1024": replace(_FIXED, batch=32, mbstd=4, fmaps=1, lr=0.002, gamma=2, ema=10),
    # For two processor cores and a hundred thousand pictures: small, and every step counts, so no path length
    # penalty and no style mixing, which slow the first kimg down; many small steps rather than few large ones.
    "mannequin": _Base(
        kimg=200, batch=8, mbstd=4, fmaps=2048 / 32768, lr=0.002, gamma=4, ema=2.5, map_depth=4,
        channel_max=128, latent=128, pl_weight=0, mixing=0,
    ),
}  # fmt: skip


def make_plan(options: TrainOptions, *, height: int, width: int, img_channels: int, label_dim: int) -> Plan:
    """Fill the table row of ``--cfg`` for pictures of that size; given options win.

    Raises:
        OptionError: for values that cannot be trained with.
    """
    _check(options, label_dim)
    base = BASES[options.cfg]
    # Rates and weights follow the batch of the configuration, not one that is given, as in the official scripts.
    reference = base.batch or max(min(4096 // height, 32), 1)
    batch = options.batch or reference
    batch_gpu = options.batch_gpu or (batch if options.batch else max(1, batch // base.ref_gpus))
    mbstd = options.mbstd_group or base.mbstd or min(reference, 4)
    if batch % batch_gpu:
        raise OptionError(f"--batch-gpu {batch_gpu} does not divide --batch {batch}")
    if batch_gpu % min(mbstd, batch_gpu):
        raise OptionError(f"--mbstd-group {mbstd} does not divide the {batch_gpu} pictures of one pass (--batch-gpu)")
    fmaps = base.fmaps or (1 if height >= 512 else 0.5)
    lr = base.lr or (0.002 if height >= 1024 else 0.0025)
    gamma = base.gamma if base.gamma is not None else 0.0002 * height**2 / reference
    return Plan(
        recipe=options.cfg,
        height=height,
        width=width,
        img_channels=img_channels,
        c_dim=label_dim if options.cond else 0,
        total_kimg=options.kimg or base.kimg,
        batch=batch,
        batch_gpu=batch_gpu,
        r1_gamma=gamma if options.gamma is None else options.gamma,
        G_lr=options.glr or lr,
        D_lr=options.dlr or lr,
        mbstd_group=mbstd,
        channel_base=options.cbase or int(fmaps * 32768),
        channel_max=options.cmax or base.channel_max,
        map_depth=options.map_depth or base.map_depth,
        latent=options.latent or base.latent,
        conv_clamp=None,  # the clamp guards half precision; in float32 it only costs time
        pl_weight=base.pl_weight if options.pl_weight is None else options.pl_weight,
        style_mixing_prob=base.mixing if options.mixing is None else options.mixing,
        ema_kimg=base.ema or reference * 10 / 32,
        ema_rampup=base.ramp,
        tick_kimg=options.tick or KIMG_PER_TICK,
        snap_ticks=options.snap or TICKS_PER_SNAPSHOT,
        seed=options.seed,
    )


_GIVEN_ANEW = {
    "kimg": "total_kimg",
    "gamma": "r1_gamma",
    "glr": "G_lr",
    "dlr": "D_lr",
    "tick": "tick_kimg",
    "snap": "snap_ticks",
}


def resumed_plan(fresh: Plan, stored: Mapping[str, Any], given: Collection[str]) -> Plan:
    """The plan of a run that goes on: its own numbers, even where recipes have changed since it was begun.

    Args:
        fresh: what the options of the run mean today.
        stored: the plan in the run's ``options.json``.
        given: names of the options whose new value counts.

    Raises:
        OptionError: if the pictures are of another shape than those the run was begun with.
        TypeError: if the stored plan has fields that are unknown.
    """
    anew = {_GIVEN_ANEW[name] for name in given if name in _GIVEN_ANEW}
    plan = replace(fresh, **{name: value for name, value in stored.items() if name not in anew})
    for name in ("height", "width", "img_channels", "c_dim"):
        if getattr(plan, name) != getattr(fresh, name):
            raise OptionError(
                f"--data: the run was begun on pictures with {name} {getattr(plan, name)}, these have"
                f" {getattr(fresh, name)}; give a set of the same shape"
            )
    return plan


def _check(options: TrainOptions, label_dim: int) -> None:
    at_least_one = {
        "--kimg": options.kimg,
        "--batch": options.batch,
        "--batch-gpu": options.batch_gpu,
        "--tick": options.tick,
        "--snap": options.snap,
        "--cbase": options.cbase,
        "--cmax": options.cmax,
        "--map-depth": options.map_depth,
        "--latent": options.latent,
        "--mbstd-group": options.mbstd_group,
    }
    for flag, value in at_least_one.items():
        if value is not None and value < 1:
            raise OptionError(f"{flag} {value}: expected at least 1")
    not_negative = {"--gamma": options.gamma, "--pl-weight": options.pl_weight, "--mixing": options.mixing}
    for flag, value in not_negative.items():
        if value is not None and not 0 <= value < float("inf"):
            raise OptionError(f"{flag} {value}: expected a number of at least 0")
    for flag, value in {"--glr": options.glr, "--dlr": options.dlr}.items():
        if value is not None and not 0 < value < float("inf"):
            raise OptionError(f"{flag} {value}: expected a number above 0")
    if options.mixing is not None and options.mixing > 1:
        raise OptionError(f"--mixing {options.mixing}: a probability is at most 1")
    if options.cond and label_dim == 0:
        raise OptionError("--cond: the picture set has no labels in dataset.json; leave the flag out or add them")
