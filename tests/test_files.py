from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from vitruvian.errors import OptionError
from vitruvian.files import replacing


def test_a_file_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    goal = tmp_path / "a.txt"
    with replacing(goal) as temporary:
        temporary.write_text("whole")
        assert not goal.exists()
    with pytest.raises(UnicodeEncodeError), replacing(goal) as temporary:
        temporary.write_text("half\ud800", encoding="utf-8")
    assert goal.read_text() == "whole"
    assert os.listdir(tmp_path) == ["a.txt"]


@pytest.mark.skipif(sys.platform == "win32", reason="other rights")
@pytest.mark.parametrize(("umask", "rights"), [(0o022, 0o644), (0o077, 0o600), (0o002, 0o664)])
def test_files_get_the_rights_that_the_user_wants(umask: int, rights: int, tmp_path: Path) -> None:
    before = os.umask(umask)
    try:
        with replacing(tmp_path / "a.txt") as temporary:
            temporary.write_text("a")
        with replacing(tmp_path / "a.safetensors") as temporary:
            save_file({"a": torch.zeros(1)}, temporary)
    finally:
        os.umask(before)
    assert [path.stat().st_mode & 0o777 for path in tmp_path.iterdir()] == [rights, rights]


def test_a_full_disk_names_the_file(tmp_path: Path) -> None:
    with pytest.raises(OSError, match=r"No space left on device: '.*a\.txt'"), replacing(tmp_path / "a.txt"):
        raise OSError(28, "No space left on device")


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match=r"cannot write .*a\.txt: No such file"), replacing(tmp_path / "b" / "a.txt"):
        pass
