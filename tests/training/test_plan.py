from __future__ import annotations

import pytest

from vitruvian.errors import OptionError
from vitruvian.options.train import TrainOptions
from vitruvian.training.plan import make_plan

SIZE_1024 = {"height": 1024, "width": 512, "img_channels": 3, "label_dim": 0}


def test_official_numbers_of_paper1024() -> None:
    plan = make_plan(TrainOptions(cfg="paper1024"), **SIZE_1024)
    assert (plan.batch, plan.batch_gpu, plan.mbstd_group) == (32, 4, 4)
    assert (plan.G_lr, plan.r1_gamma, plan.ema_kimg, plan.map_depth) == (0.002, 2, 10, 8)
    assert (plan.channel_base, plan.channel_max, plan.ema_rampup) == (32768, 512, None)


def test_auto_on_one_gpu_follows_the_size() -> None:
    plan = make_plan(TrainOptions(cfg="shhq"), **SIZE_1024)
    assert (plan.batch, plan.mbstd_group, plan.G_lr) == (4, 4, 0.002)
    assert plan.r1_gamma == pytest.approx(52.4288)
    assert plan.ema_kimg == pytest.approx(1.25)


def test_a_given_batch_changes_neither_rates_nor_weights() -> None:
    own = make_plan(TrainOptions(cfg="auto"), **SIZE_1024)
    given = make_plan(TrainOptions(cfg="auto", batch=32), **SIZE_1024)
    assert (given.batch, given.batch_gpu) == (32, 32)
    assert (given.r1_gamma, given.ema_kimg, given.G_lr) == (own.r1_gamma, own.ema_kimg, own.G_lr)
    assert own.r1_gamma == pytest.approx(52.4288)


def test_very_large_pictures_follow_the_rule_too() -> None:
    plan = make_plan(TrainOptions(), height=2048, width=1024, img_channels=3, label_dim=0)
    assert (plan.batch, plan.mbstd_group) == (2, 2)


def test_given_options_win() -> None:
    plan = make_plan(TrainOptions(cfg="paper256", gamma=0, batch=16, glr=0.1), **SIZE_1024)
    assert (plan.r1_gamma, plan.batch, plan.batch_gpu, plan.G_lr, plan.D_lr) == (0, 16, 16, 0.1, 0.0025)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"gamma": float("nan")}, "--gamma nan"),
        ({"kimg": 0}, "--kimg 0"),
        ({"mixing": 1.5}, "--mixing 1.5"),
        ({"cond": True}, "no labels"),
        ({"batch": 6, "batch_gpu": 4}, "does not divide"),
        ({"glr": -1.0}, "--glr -1.0"),
        ({"seed": -1}, "--seed -1"),
        ({"seed": 2**32}, "--seed 4294967296"),
        ({"subset": 0}, "--subset 0"),
        ({"desc": "a/b"}, "--desc 'a/b'"),
    ],
)
def test_bad_numbers_are_named(options: dict, words: str) -> None:
    with pytest.raises(OptionError, match=words):
        make_plan(TrainOptions(**options), **SIZE_1024)
