from __future__ import annotations

import json
import sys
import types
from pathlib import Path

import pytest
import torch

from tests.conftest import golden_path
from vitruvian.cli import main
from vitruvian.tasks.publish_network import model_card

HUMAN = str(golden_path("networks/sg2-human-64x32.pkl"))


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = main(["models", *arguments])
    out, err = capsys.readouterr()
    return code, out, err


def test_list_names_embedded_and_published(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "list")
    assert code == 0
    assert "mannequin-body" in out
    assert "stylegan_human_v2_1024" in out
    known = json.loads(run(capsys, "list", "--json")[1])
    assert all(entry["address"] or entry["page"] for entry in known["published"])
    assert json.loads(run(capsys, "list", "--embedded", "--json")[1])["published"] == []


def test_show_tells_every_network(capsys: pytest.CaptureFixture[str]) -> None:
    report = json.loads(run(capsys, "show", HUMAN, "--json")[1])
    assert [network["role"] for network in report["networks"]] == ["G_ema", "G", "D"]
    average = report["networks"][0]
    assert (average["size"], average["num_ws"], average["c_dim"]) == ("64x32", 10, 0)
    assert average["w_avg_norm"] > 0
    assert "64x32" in run(capsys, "show", HUMAN)[1]


def test_convert_goes_round(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    names = ["a.safetensors", "b.pkl", "c.pth", "d.safetensors"]
    source = HUMAN
    for name in names:
        assert run(capsys, "convert", source, str(tmp_path / name))[0] == 0
        source = str(tmp_path / name)
    code, out, _ = run(capsys, "verify", *[str(tmp_path / name) for name in names], "--json")
    assert code == 0
    assert [file["problems"] for file in json.loads(out)["files"]] == [[], [], [], []]
    code, _, err = run(capsys, "convert", HUMAN, str(tmp_path / "a.safetensors"))
    assert code == 2
    assert "exists already" in err
    assert run(capsys, "convert", HUMAN, str(tmp_path / "a.safetensors"), "--force", "--half")[0] == 0


def test_convert_refuses_what_makes_no_sense(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    for arguments in (
        [HUMAN, str(tmp_path / "net.onnx")],
        [HUMAN, str(tmp_path / "net.pkl"), "--half"],
        [HUMAN, str(tmp_path / "net.pth"), "--module", "training.networks"],
        [HUMAN, str(tmp_path / "net.pkl"), "--module", "os; import sys"],
        [HUMAN, str(tmp_path / "net.pth"), "--role", "D"],
    ):
        code, out, err = run(capsys, "convert", *arguments)
        assert (code, out) == (2, "")
        assert err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_verify_finds_what_is_wrong(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    state = torch.load(golden_path("networks/sg2-human-64x32.rosinality.pth"), weights_only=True)
    state["g_ema"]["conv1.activate.bias"][3] = float("nan")
    torch.save(state, tmp_path / "sick.pth")
    code, out, _ = run(capsys, "verify", str(tmp_path / "sick.pth"), "mannequin-body", "missing.pkl")
    assert code == 2
    assert "synthesis.b4.conv1.bias" in out
    assert "not finite" in out
    assert "mannequin-body.safetensors: sound" in out
    assert "missing.pkl: no such file" in out
    code, out, _ = run(capsys, "verify", HUMAN, "--sha256", "0" * 64)
    assert code == 2
    assert f"expected {'0' * 64}" in out


def test_download_explains_files_given_out_by_hand(capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = run(capsys, "download", "stylegan_human_v2_1024")
    assert code == 2
    assert "by hand" in err


def test_push_sends_the_file_with_its_card(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    sent: dict[str, object] = {}

    class Hub:
        def create_repo(self, name: str, *, private: bool, exist_ok: bool) -> None:
            sent["repository"] = (name, private, exist_ok)

        def upload_folder(self, *, repo_id: str, folder_path: str, commit_message: str) -> None:
            sent["files"] = {path.name: path.read_bytes() for path in Path(folder_path).iterdir()}

    hub = types.ModuleType("huggingface_hub")
    hub.HfApi = Hub  # pyright: ignore[reportAttributeAccessIssue]
    errors = types.ModuleType("huggingface_hub.errors")
    errors.HfHubHTTPError = errors.LocalTokenNotFoundError = RuntimeError  # pyright: ignore[reportAttributeAccessIssue]
    monkeypatch.setitem(sys.modules, "huggingface_hub", hub)
    monkeypatch.setitem(sys.modules, "huggingface_hub.errors", errors)
    code, out, _ = run(capsys, "push", "mannequin-body", "alice/body", "--private")
    assert code == 0
    assert "hf://alice/body/mannequin-body.safetensors" in out
    assert sent["repository"] == ("alice/body", True, True)
    files = sent["files"]
    assert isinstance(files, dict)
    assert set(files) == {"README.md", "mannequin-body.safetensors"}
    assert b"license: apache-2.0" in files["README.md"]


def test_push_needs_a_card_and_the_extra(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    code, _, err = run(capsys, "push", HUMAN, "alice/body")
    assert code == 2
    assert "has no card" in err
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    code, _, err = run(capsys, "push", "mannequin-body", "alice/body")
    assert code == 2
    assert "vitruvian[hub]" in err
    code, out, _ = run(capsys, "push", "mannequin-body", "alice/body", "--dry-run")
    assert code == 0
    assert out.startswith("---\nlicense: apache-2.0")


def test_unknown_licences_are_called_other() -> None:
    from vitruvian.checkpoints import Card

    text = model_card(Card(kind="k", config={}, licence="my own terms"), "a/b")
    assert "license: other" in text
    assert "my own terms" in text
