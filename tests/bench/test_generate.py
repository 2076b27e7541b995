from __future__ import annotations

import json
from functools import partial

import pytest
import torch

from vitruvian.bench import generate, textbook_stylegan2, textbook_stylegan3
from vitruvian.bench.generate import CASES, multiply_adds
from vitruvian.cli import main
from vitruvian.errors import OptionError
from vitruvian.nn import StyleGAN2Generator, StyleGAN3Generator
from vitruvian.options.bench import GENERATE_CASES, BenchGenerateOptions

SMALL = {"z_dim": 8, "w_dim": 8, "num_layers": 2, "channel_base": 256, "channel_max": 16}


def test_the_textbook_forms_paint_the_same_pictures() -> None:
    for G, textbook in (
        (StyleGAN2Generator(img_resolution=(32, 16), **SMALL), textbook_stylegan2.textbook_synthesis),
        (StyleGAN3Generator(img_resolution=(32, 16), **SMALL), textbook_stylegan3.textbook_synthesis),
    ):
        G.eval()
        for name, parameter in G.named_parameters():
            if name.endswith("noise_strength"):
                parameter.data.fill_(0.3)
        for count in (1, 3):  # one sample has a path of its own
            with torch.inference_mode():
                ws = G.mapping(torch.randn(count, 8))
                assert (G.synthesis(ws) - textbook(G.synthesis, ws)).abs().max() < 1e-4


def test_work_is_counted_for_every_architecture() -> None:
    G = StyleGAN2Generator(img_resolution=8, **SMALL)
    # 4x4: one layer of 16x16x9 at 16 pixels; 8x8: one that doubles (counted at its input) and one that does not.
    assert multiply_adds(G) == 16 * 16 * 9 * (16 + 16 + 64)
    assert multiply_adds(StyleGAN3Generator(img_resolution=32, **SMALL)) > 0


def test_cases_are_those_that_can_be_chosen() -> None:
    assert tuple(CASES) == GENERATE_CASES
    with pytest.raises(OptionError, match="expected some of stylegan2-1024x512"):
        BenchGenerateOptions(only=("stylegan9",))


def test_the_command_prints_ratios(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    small = CASES["stylegan2-256x128"]._replace(build=partial(StyleGAN2Generator, img_resolution=(32, 16), **SMALL))
    monkeypatch.setitem(generate.CASES, "stylegan2-256x128", small)
    arguments = ["bench", "generate", "--only", "stylegan2-256x128", "--rounds", "1"]
    assert main([*arguments, "--json"]) == 0
    [row] = json.loads(capsys.readouterr().out)["rows"]
    assert row["ratio"] == pytest.approx(row["textbook_milliseconds"] / row["milliseconds"])
    assert row["largest_difference"] < 1e-4
    assert row["levels_off"] < 0.01
    assert main([*arguments, "--dtype", "bf16"]) == 0
    assert "bf16" in capsys.readouterr().out
