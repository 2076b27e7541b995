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
from vitruvian.errors import OptionError, VitruvianError
from vitruvian.images import from_uint8, save_png
from vitruvian.nn.stylegan2 import Generator
from vitruvian.nn.stylegan2_discriminator import Discriminator
from vitruvian.options.train import TrainOptions
from vitruvian.training.losses import LossOptions, StyleGAN2Loss
from vitruvian.training.plan import Plan, make_plan
from vitruvian.training.resuming import find_begun
from vitruvian.training.run_folder import RunFolder
from vitruvian.training.samples import SampleSheet
from vitruvian.training.schedules import ema_beta, lazy_adam, update_average_
from vitruvian.training.statistics import Statistics

GROWING_FILES = ("log.txt", "stats.jsonl")
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
    begun = find_begun(options)
    options = begun.options if begun else options
    pictures = _open_pictures(options)
    channels, height, width = pictures.image_shape
    plan = make_plan(options, height=height, width=width, img_channels=channels, label_dim=pictures.label_dim)
    plan = begun.plan(plan) if begun else plan
    training = GanTraining(plan, pictures, device)
    if options.dry_run:
        return TrainResult(begun.folder.path if begun else options.outdir, 0, False, None, plan)
    if begun is None:
        reals = training.sheet.reals(pictures)  # before the folder: a damaged picture may show here
        name = f"{plan.recipe}-{pictures.name}-gpus1-batch{plan.batch}-gamma{plan.r1_gamma:g}"
        run = RunFolder.create(options.outdir, f"{name}-{options.desc}" if options.desc else name)
        save_png(reals, run.path / "reals.png")
    else:
        run = begun.folder
    with run.locked():
        if begun is not None:
            run.remove_leftovers()
            training.restore(run, begins_other_data=begun.has_other_data)
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
        self.seconds = self.tick_seconds = 0.0
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
            save_png(self.sheet.fakes(self.G_ema), run.path / "fakes_init.png")
        started, started_nimg = time.perf_counter(), self.cur_nimg
        counted = started
        while self.cur_nimg < total_nimg:
            self.step()
            now = time.perf_counter()
            rate = (self.cur_nimg - started_nimg) / (now - started)
            progress(TrainProgress(self.cur_nimg, total_nimg, rate))
            stopping = should_stop()
            done = self.cur_nimg >= total_nimg
            ticking = self.batch_index == 1 or self.cur_nimg >= self.tick_start_nimg + self.plan.tick_kimg * 1000
            if ticking or done or stopping:
                self.seconds += now - counted
                self.tick_seconds += now - counted
            if ticking or done:
                self._end_tick(run, progress, done=done)
                counted = time.perf_counter()
            elif stopping:
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

    def _end_tick(self, run: RunFolder, progress: Callable[[TrainProgress], None], *, done: bool) -> None:
        summary = self.statistics.summarise()
        sec_per_kimg = self.tick_seconds / max(self.cur_nimg - self.tick_start_nimg, 1) * 1000
        line = (
            f"tick {self.tick:<5d} kimg {self.cur_nimg / 1000:<8.1f} time {self.seconds:<9.0f}"
            f" sec/kimg {sec_per_kimg:<8.2f}"
            f" G {summary['Loss/G/loss']['mean']:<6.3f} D {summary['Loss/D/loss']['mean']:<6.3f}"
        )
        record = {
            **summary,
            "Progress/tick": self.tick,
            "Progress/kimg": self.cur_nimg / 1000,
            "Timing/total_sec": self.seconds,
            "Timing/sec_per_kimg": sec_per_kimg,
            "timestamp": time.time(),
        }
        run.append("stats.jsonl", json.dumps(record))
        self._say(run, progress, line)
        if done or self.tick % self.plan.snap_ticks == 0:
            self._save_snapshot(run)
        self.tick += 1
        self.tick_start_nimg = self.cur_nimg
        self.tick_seconds = 0.0
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
            "tick_seconds": self.tick_seconds,
            "lengths": {name: run.length(name) for name in GROWING_FILES},
        }

    def restore(self, run: RunFolder, *, begins_other_data: bool = False) -> None:
        """Go on where the newest state of the run was taken; over other pictures, from the first of their order."""
        state = run.load_state()
        if state is None:
            for name in GROWING_FILES:
                run.rewind(name, 0)
            return
        try:
            self._load_state_dict(state, begins_other_data=begins_other_data)
            for name in GROWING_FILES:
                run.rewind(name, state["lengths"][name])
        except VitruvianError:
            raise
        except Exception as error:  # a tensor of another shape, a key that is not there, no state at all
            reason = " ".join(str(error).split())[:200]
            raise OptionError(f"{run.path}: its saved state does not fit its options ({reason})") from error
        self.snapshot = run.newest_snapshot()

    def _load_state_dict(self, state: dict[str, Any], *, begins_other_data: bool) -> None:
        for name in ("G", "D", "G_ema"):
            getattr(self, name).load_state_dict(state[name])
        for optimiser, name in ((self.G_optimiser, "G_optimiser"), (self.D_optimiser, "D_optimiser")):
            planned = {key: optimiser.param_groups[0][key] for key in ("lr", "betas")}
            optimiser.load_state_dict(state[name])
            optimiser.param_groups[0].update(planned)  # the plan decides, which may have been given a new rate
        self.loss.pl_mean = state["pl_mean"].to(self.device)
        walk = {key: value.numpy() if isinstance(value, Tensor) else value for key, value in state["sampler"].items()}
        if not (begins_other_data and len(walk["order"]) != len(self.pictures)):  # a moved set is walked on
            self.sampler.load_state_dict(walk)
        self.statistics.load_state_dict(state["statistics"], self.device)
        self.cur_nimg, self.batch_index, self.tick, self.tick_start_nimg = state["clock"]
        self.seconds, self.tick_seconds = state["seconds"], state.get("tick_seconds", 0.0)


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
            if parameter.grad is None:
                # A bias that the regulariser does not see still takes the step: Adam's betas are corrected for it.
                parameter.grad = torch.zeros_like(parameter)
            parameter.grad.nan_to_num_(nan=0.0, posinf=LARGEST_GRADIENT, neginf=-LARGEST_GRADIENT)
        self.optimiser.step()


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
