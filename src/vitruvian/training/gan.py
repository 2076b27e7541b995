"""The training loop of a generator and a discriminator: one straight road, one clock (pictures shown)."""

from __future__ import annotations

import copy
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from vitruvian.checkpoints import write_network
from vitruvian.data import InfiniteSampler, PictureSet
from vitruvian.devices import pick_device
from vitruvian.errors import OptionError
from vitruvian.images import from_uint8, save_png
from vitruvian.nn.stylegan2 import Generator
from vitruvian.nn.stylegan2_discriminator import Discriminator
from vitruvian.options.train import TrainOptions
from vitruvian.training.losses import LossOptions, StyleGAN2Loss
from vitruvian.training.plan import Plan, make_plan
from vitruvian.training.run_folder import RunFolder
from vitruvian.training.samples import SampleSheet
from vitruvian.training.schedules import ema_beta, lazy_adam, update_average_
from vitruvian.training.statistics import Statistics

LARGEST_GRADIENT = 1e5  # what an infinite gradient becomes, the official value


@dataclass(frozen=True, slots=True)
class TrainProgress:
    """What the loop tells its caller after every step."""

    cur_nimg: int
    total_nimg: int
    images_per_second: float
    line: str | None = None
    """A line of the log, at ticks."""


@dataclass(frozen=True, slots=True)
class TrainResult:
    run: Path
    cur_nimg: int
    finished: bool
    """False if the caller asked to stop; the state is saved."""
    snapshot: Path | None
    plan: Plan


def train_gan(
    options: TrainOptions,
    *,
    progress: Callable[[TrainProgress], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> TrainResult:
    """Train, or go on with, one run.

    Args:
        progress: called after every step.
        should_stop: asked after every step; True saves the state and returns.

    Raises:
        OptionError, DatasetError, CheckpointError: before anything is written.
    """
    device = pick_device(options.device)
    run, stored = _existing_run(options)
    options = _merged(options, stored)
    pictures = _open_pictures(options)
    channels, height, width = pictures.image_shape
    plan = make_plan(options, height=height, width=width, img_channels=channels, label_dim=pictures.label_dim)
    training = GanTraining(plan, pictures, device)
    if options.dry_run:
        return TrainResult(run.path if run else options.outdir, 0, False, None, plan)
    if run is None:
        name = f"{plan.recipe}-{pictures.name}-gpus1-batch{plan.batch}-gamma{plan.r1_gamma:g}"
        run = RunFolder.create(options.outdir, f"{name}-{options.desc}" if options.desc else name)
        run.write_options({"options": _plain(options), "plan": plan.as_dict()})
    else:
        training.restore(run, begins_other_data=str(options.data) != stored.get("data"))
        run.write_options({"options": _plain(options), "plan": plan.as_dict()})
    return training.run(run, progress or (lambda _: None), should_stop or (lambda: False))


class GanTraining:
    """Everything that lives through a run; :meth:`state_dict` names all of it that a resumed run needs."""

    def __init__(self, plan: Plan, pictures: PictureSet, device: torch.device) -> None:
        self.plan, self.pictures, self.device = plan, pictures, device
        torch.manual_seed(plan.seed)
        size = (plan.height, plan.width)
        shared: dict[str, Any] = {
            "img_resolution": size[0] if size[0] == size[1] else size,
            "img_channels": plan.img_channels,
            "c_dim": plan.c_dim,
            "channel_base": plan.channel_base,
            "channel_max": plan.channel_max,
            "conv_clamp": plan.conv_clamp,
        }
        try:
            self.G = Generator(z_dim=plan.latent, w_dim=plan.latent, num_layers=plan.map_depth, **shared)
            self.D = Discriminator(mbstd_group_size=plan.mbstd_group, **shared)
        except ValueError as error:
            raise OptionError(f"{pictures.path}: {error}") from error
        self.G.train().requires_grad_(False).to(device)
        self.D.train().requires_grad_(False).to(device)
        self.G_ema = copy.deepcopy(self.G).eval()
        self.loss = StyleGAN2Loss(
            self.G,
            self.D,
            LossOptions(
                r1_gamma=plan.r1_gamma,
                style_mixing_prob=plan.style_mixing_prob,
                pl_weight=plan.pl_weight,
            ),
        )
        self.G_interval = plan.G_reg_interval if plan.pl_weight > 0 else None
        self.D_interval = plan.D_reg_interval if plan.r1_gamma > 0 else None
        self.G_optimiser = lazy_adam(list(self.G.parameters()), lr=plan.G_lr, interval=self.G_interval)
        self.D_optimiser = lazy_adam(list(self.D.parameters()), lr=plan.D_lr, interval=self.D_interval)
        self.sampler = InfiniteSampler(len(pictures), seed=plan.seed)
        self.sheet = SampleSheet(pictures, z_dim=plan.latent, use_labels=plan.c_dim > 0)
        self.statistics = Statistics()
        self.cur_nimg = self.batch_index = self.tick = self.tick_start_nimg = 0
        self.seconds = 0.0
        self.snapshot: Path | None = None

    def run(
        self,
        run: RunFolder,
        progress: Callable[[TrainProgress], None],
        should_stop: Callable[[], bool],
    ) -> TrainResult:
        total_nimg = self.plan.total_kimg * 1000
        if self.cur_nimg == 0:
            self._say(run, progress, f"plan: {json.dumps(self.plan.as_dict())}")
            save_png(self.sheet.reals(self.pictures), run.path / "reals.png")
            save_png(self.sheet.fakes(self.G_ema), run.path / "fakes_init.png")
        started, started_nimg = time.perf_counter(), self.cur_nimg
        tick_started = started
        while self.cur_nimg < total_nimg:
            self.step()
            now = time.perf_counter()
            rate = (self.cur_nimg - started_nimg) / (now - started)
            progress(TrainProgress(self.cur_nimg, total_nimg, rate))
            stopping = should_stop()
            done = self.cur_nimg >= total_nimg
            if self.batch_index == 1 or self.cur_nimg >= self.tick_start_nimg + self.plan.tick_kimg * 1000 or done:
                self.seconds += now - tick_started
                self._end_tick(run, progress, seconds=now - tick_started, done=done)
                tick_started = time.perf_counter()
            elif stopping:
                self.seconds += now - tick_started
                run.save_state(self.cur_nimg, self.state_dict(run))
            if stopping and not done:
                return TrainResult(run.path, self.cur_nimg, False, self.snapshot, self.plan)
        return TrainResult(run.path, self.cur_nimg, True, self.snapshot, self.plan)

    def step(self) -> None:
        """One iteration: the phases that are due, then the average of the generator, then the clock."""
        plan = self.plan
        generator = torch.Generator(self.device)
        # Each step's randomness follows from seed and clock, so a resumed run equals an uninterrupted one.
        generator.manual_seed(
            int(np.random.SeedSequence([plan.seed, self.cur_nimg]).generate_state(1, np.uint64)[0]) >> 1
        )
        real, real_c = self._draw_reals()
        label_order = np.random.RandomState([plan.seed % 2**32, self.cur_nimg % 2**32])

        G_due = self.G_interval is not None and self.batch_index % self.G_interval == 0
        D_due = self.D_interval is not None and self.batch_index % self.D_interval == 0
        with _Phase(self.G, self.G_optimiser):
            for z, c in self._codes(generator, label_order):
                self.statistics.report(self.loss.generator_main(z, c, generator=generator))
        if G_due:
            with _Phase(self.G, self.G_optimiser):
                for z, c in self._codes(generator, label_order):
                    gain = float(self.G_interval or 1)
                    reported = self.loss.generator_regularisation(z, c, generator=generator, gain=gain)
                    self.statistics.report(reported)
        with _Phase(self.D, self.D_optimiser):
            for (z, c), img, img_c in zip(self._codes(generator, label_order), real, real_c, strict=True):
                reported = self.loss.discriminator_main(img, img_c, z, c, generator=generator)
                self.statistics.report(reported)
        if D_due:
            with _Phase(self.D, self.D_optimiser):
                for img, img_c in zip(real, real_c, strict=True):
                    gain = float(self.D_interval or 1)
                    self.statistics.report(self.loss.discriminator_regularisation(img, img_c, gain=gain))

        beta = ema_beta(batch=plan.batch, cur_nimg=self.cur_nimg, ema_kimg=plan.ema_kimg, rampup=plan.ema_rampup)
        update_average_(self.G_ema, self.G, beta)
        self.cur_nimg += plan.batch
        self.batch_index += 1

    def _draw_reals(self) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
        """One batch in passes of ``batch_gpu``; all phases of a step see the same pictures."""
        drawn = [self.pictures[next(self.sampler)] for _ in range(self.plan.batch)]
        img = from_uint8(np.stack([pixels for pixels, _ in drawn])).to(self.device)
        labels = torch.from_numpy(np.stack([label for _, label in drawn])).to(self.device)
        c = labels if self.plan.c_dim > 0 else labels.new_zeros(len(labels), 0)
        return img.split(self.plan.batch_gpu), c.split(self.plan.batch_gpu)

    def _codes(self, generator: torch.Generator, labels: np.random.RandomState) -> list[tuple[Tensor, Tensor]]:
        """Fresh z, and labels of random pictures, for one phase."""
        plan = self.plan
        z = torch.randn(plan.batch, plan.latent, generator=generator, device=self.device)
        if plan.c_dim > 0:
            chosen = labels.randint(len(self.pictures), size=plan.batch)
            c = torch.from_numpy(np.stack([self.pictures.label(int(i)) for i in chosen])).to(self.device)
        else:
            c = z.new_zeros(plan.batch, 0)
        return list(zip(z.split(plan.batch_gpu), c.split(plan.batch_gpu), strict=True))

    def _end_tick(
        self, run: RunFolder, progress: Callable[[TrainProgress], None], *, seconds: float, done: bool
    ) -> None:
        summary = self.statistics.summarise()
        shown = max(self.cur_nimg - self.tick_start_nimg, 1)
        line = (
            f"tick {self.tick:<5d} kimg {self.cur_nimg / 1000:<8.1f} time {self.seconds:<9.0f}"
            f" sec/kimg {seconds / shown * 1000:<8.2f}"
            f" G {summary['Loss/G/loss']['mean']:<6.3f} D {summary['Loss/D/loss']['mean']:<6.3f}"
        )
        record = {
            **summary,
            "Progress/tick": self.tick,
            "Progress/kimg": self.cur_nimg / 1000,
            "Timing/total_sec": self.seconds,
            "Timing/sec_per_kimg": seconds / shown * 1000,
            "timestamp": time.time(),
        }
        run.append("stats.jsonl", json.dumps(record))
        self._say(run, progress, line)
        if done or self.tick % self.plan.snap_ticks == 0:
            self._save_snapshot(run)
        self.tick += 1
        self.tick_start_nimg = self.cur_nimg
        run.save_state(self.cur_nimg, self.state_dict(run))

    def _save_snapshot(self, run: RunFolder) -> None:
        kimg = f"{self.cur_nimg // 1000:06d}"
        save_png(self.sheet.fakes(self.G_ema), run.path / f"fakes{kimg}.png")
        self.snapshot = run.path / f"network-snapshot-{kimg}.safetensors"
        training = {"kimg": self.cur_nimg / 1000, "plan": self.plan.as_dict()}
        write_network(self.G_ema, self.snapshot, data=self.pictures.name, training=training)

    def _say(self, run: RunFolder, progress: Callable[[TrainProgress], None], line: str) -> None:
        run.append("log.txt", line)
        total = self.plan.total_kimg * 1000
        progress(TrainProgress(self.cur_nimg, total, 0.0, line))

    def state_dict(self, run: RunFolder) -> dict[str, Any]:
        """All that must survive, as tensors and plain values."""
        sampler = {
            key: torch.from_numpy(value.astype(np.int64)) if isinstance(value, np.ndarray) else value
            for key, value in self.sampler.state_dict().items()
        }
        return {
            "G": self.G.state_dict(),
            "D": self.D.state_dict(),
            "G_ema": self.G_ema.state_dict(),
            "G_optimiser": self.G_optimiser.state_dict(),
            "D_optimiser": self.D_optimiser.state_dict(),
            "pl_mean": self.loss.pl_mean,
            "sampler": sampler,
            "statistics": self.statistics.state_dict(),
            "clock": [self.cur_nimg, self.batch_index, self.tick, self.tick_start_nimg],
            "seconds": self.seconds,
            "lengths": {name: run.length(name) for name in ("log.txt", "stats.jsonl")},
        }

    def restore(self, run: RunFolder, *, begins_other_data: bool = False) -> None:
        """Go on where the newest state of the run was taken; over other pictures, from the first of their order."""
        state = run.load_state()
        if state is None:
            return
        try:
            for name in ("G", "D", "G_ema", "G_optimiser", "D_optimiser"):
                getattr(self, name).load_state_dict(state[name])
        except (RuntimeError, ValueError, KeyError) as error:
            reason = " ".join(str(error).split())[:200]
            raise OptionError(
                f"{run.path}: its state does not fit these options ({reason}); resume with those of the run"
            ) from error
        self.loss.pl_mean = state["pl_mean"].to(self.device)
        walk = {key: value.numpy() if isinstance(value, Tensor) else value for key, value in state["sampler"].items()}
        if not (begins_other_data and len(walk["order"]) != len(self.pictures)):  # a moved set is walked on
            self.sampler.load_state_dict(walk)
        self.statistics.load_state_dict(state["statistics"], self.device)
        self.cur_nimg, self.batch_index, self.tick, self.tick_start_nimg = state["clock"]
        self.seconds = state["seconds"]
        for name, length in state["lengths"].items():
            run.rewind(name, length)


class _Phase:
    """Gradients of one network on, accumulate, clean, step, off."""

    def __init__(self, network: nn.Module, optimiser: torch.optim.Optimizer) -> None:
        self.network, self.optimiser = network, optimiser

    def __enter__(self) -> None:
        self.optimiser.zero_grad(set_to_none=True)
        self.network.requires_grad_(True)

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self.network.requires_grad_(False)
        if kind is not None:
            return
        for parameter in self.network.parameters():
            if parameter.grad is not None:
                parameter.grad.nan_to_num_(nan=0.0, posinf=LARGEST_GRADIENT, neginf=-LARGEST_GRADIENT)
        self.optimiser.step()


def _existing_run(options: TrainOptions) -> tuple[RunFolder | None, dict[str, Any]]:
    if options.resume is None:
        return None, {}
    run = RunFolder.find(options.resume, options.outdir)
    return run, run.read_options().get("options", {})


RESUME_MAY_CHANGE = ("kimg", "gamma", "glr", "dlr", "data", "snap", "tick", "outdir")


def _merged(options: TrainOptions, stored: dict[str, Any]) -> TrainOptions:
    """The options of the stored run, with what a resumed run may set anew."""
    if not stored:
        return options
    fresh = _plain(options)
    defaults = _plain(TrainOptions())
    values = dict(stored)
    for name in RESUME_MAY_CHANGE:
        if fresh[name] != defaults[name]:
            values[name] = fresh[name]
    values.update(device=fresh["device"], dry_run=fresh["dry_run"], resume=fresh["resume"])
    values["data"] = Path(values["data"])
    values["outdir"] = Path(values["outdir"])
    return TrainOptions(**values)


def _plain(options: TrainOptions) -> dict[str, Any]:
    return {name: str(value) if isinstance(value, Path) else value for name, value in vars(options).items()}


def _open_pictures(options: TrainOptions) -> PictureSet:
    if options.data is None:
        raise OptionError("--data is missing: name a folder or zip of pictures, or a run with --resume")
    return PictureSet.open(
        options.data,
        use_labels=options.cond,
        xflip=options.mirror,
        max_size=options.subset,
        seed=options.seed,
    )
