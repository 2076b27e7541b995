"""The official networks' pickled modules: plain records of names, options and tensors.

Each official module reduces to a call of ``_reconstruct_persistent_obj`` with its class name, its attributes and the
source text of its class; the official loader runs that text. Here the text is dropped unread.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from torch import Tensor

from vitruvian.checkpoints.foreign.numbers import as_tensor
from vitruvian.checkpoints.foreign.pickle_machine import Buildable, Global
from vitruvian.checkpoints.foreign.tensors import TENSOR_GLOBALS

MOST_MODULES = 10_000
DEEPEST = 16

_PERSISTENT = "torch_utils.persistence._reconstruct_persistent_obj"
_TF_NETWORK = "dnnlib.tflib.network.Network"


@dataclass(frozen=True)
class ModuleStub:
    """A module of an official PyTorch network: its class's name and its attributes."""

    class_name: str
    state: dict[str, Any]

    def __getitem__(self, path: str) -> Any:
        """The child module or attribute at a dotted path, such as ``synthesis.b4.conv1.conv_clamp``.

        Raises:
            ValueError: if there is none.
        """
        here: Any = self
        for name in path.split("."):
            if not isinstance(here, ModuleStub):
                raise ValueError(f"no {path} inside")
            modules, state = here.table("_modules"), here.state
            if name not in modules and name not in state:
                raise ValueError(f"no {path} inside")
            here = modules[name] if name in modules else state[name]
        return here

    def get(self, path: str, default: Any) -> Any:
        """Like ``[]``, with an answer for what is missing."""
        try:
            return self[path]
        except ValueError:
            return default

    def table(self, name: str) -> dict[str, Any]:
        """``_modules``, ``_parameters`` or ``_buffers``."""
        entries = self.state.get(name, {})
        if not isinstance(entries, dict) or not all(isinstance(key, str) for key in entries):
            raise ValueError(f"a {self.class_name} whose {name} is not a table")
        return entries

    def state_dict(self) -> dict[str, Tensor]:
        """All parameters and buffers under torch's names.

        Raises:
            ValueError: for endless nesting or an absurd number of parts.
        """
        found: dict[str, Tensor] = {}
        waiting: list[tuple[str, ModuleStub]] = [("", self)]
        visited = 0
        while waiting:
            prefix, module = waiting.pop()
            visited += 1
            if visited + len(waiting) > MOST_MODULES or prefix.count(".") > DEEPEST:
                raise ValueError("modules nested without end")
            for name, value in (*module.table("_parameters").items(), *module.table("_buffers").items()):
                tensor = as_tensor(value)
                if tensor is not None:
                    found[prefix + name] = tensor
                elif value is not None:
                    raise ValueError(f"{prefix}{name} is not a tensor")
            for name, child in reversed(module.table("_modules").items()):
                if isinstance(child, ModuleStub):
                    waiting.append((f"{prefix}{name}.", child))
                elif child is not None:
                    raise ValueError(f"{prefix}{name} is not a module")
        return found


class TensorFlowStub(Buildable):
    """A ``dnnlib.tflib.network.Network``: the state dictionary that TensorFlow-era files hold."""

    def __init__(self) -> None:
        self.state: dict[str, Any] = {}

    def build(self, state: Any) -> None:
        if not isinstance(state, dict):
            raise ValueError("a TensorFlow network without its state")
        self.state = state


def _module(meta: Any) -> ModuleStub:
    if not isinstance(meta, dict) or meta.get("type") != "class":
        raise ValueError("a module of unknown form")
    class_name, state = meta.get("class_name"), meta.get("state")
    if not isinstance(class_name, str) or not isinstance(state, dict):
        raise ValueError("a module without class or state")
    return ModuleStub(class_name[:80], state)


def _tf_network(*_: Any) -> TensorFlowStub:
    return TensorFlowStub()


MODULE_GLOBALS: dict[str, Global] = {
    **TENSOR_GLOBALS,
    _PERSISTENT: Global("module", _module),
    _TF_NETWORK: Global("TensorFlow network", _tf_network),
}
"""Everything that official network files may name, storages inside plain pickles apart."""
