"""From a foreign file to the networks inside, whatever program wrote it; the file's own bytes tell which."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from vitruvian.checkpoints.foreign import rosinality, shapes
from vitruvian.checkpoints.foreign.modules import MODULE_GLOBALS, ModuleStub, TensorFlowStub
from vitruvian.checkpoints.foreign.numbers import as_tensor
from vitruvian.checkpoints.foreign.official import reading as official
from vitruvian.checkpoints.foreign.pickle_machine import Budget, Global, PickleMachine
from vitruvian.checkpoints.foreign.tensorflow import reading as tensorflow
from vitruvian.checkpoints.foreign.tensors import LEGACY_MAGIC, STORAGE_GLOBALS, Storage, read_legacy, read_zip
from vitruvian.checkpoints.weights import FileContents, Weights
from vitruvian.errors import CheckpointError

ZIP, PICKLE = b"PK\x03\x04", b"\x80"
ROLES = ("G_ema", "G", "D")
_LOAD_FROM_BYTES = "torch.storage._load_from_bytes"


def read_foreign(path: Path) -> FileContents:
    """The networks of a pickle or torch file; nothing in it is executed.

    Raises:
        CheckpointError: in one line, for whatever is not a network file of a known kind.
    """
    thing, container = _read_object(path)
    return _interpret(thing, container, str(path))


def _read_object(path: Path) -> tuple[Any, str]:
    with path.open("rb") as file:
        start = file.read(len(ZIP))
        file.seek(0)
        if start == ZIP:
            return read_zip(path, MODULE_GLOBALS), "torch file"
        if not start.startswith(PICKLE):
            raise CheckpointError(f"{path}: neither a pickle nor a torch file nor .safetensors; it is no network file")
        budget = Budget()

        def load_storage(blob: Any) -> Storage:
            """A storage inside a plain pickle is a whole torch file of the old kind."""
            if not isinstance(blob, bytes | bytearray):
                raise ValueError("a storage without bytes")
            with io.BytesIO(blob) as inner:
                storage = read_legacy(inner, owner=str(path), known=STORAGE_GLOBALS, budget=budget)
            if not isinstance(storage, Storage):
                raise ValueError("a storage that is none")
            return storage

        known = {**MODULE_GLOBALS, _LOAD_FROM_BYTES: Global("storage", load_storage)}
        thing = PickleMachine(str(path), known, None, budget).load(file)
        if thing != LEGACY_MAGIC:
            return thing, "pickle"
        file.seek(0)
        try:
            return read_legacy(file, owner=str(path), known=MODULE_GLOBALS, budget=budget), "torch file"
        except ValueError as error:
            raise CheckpointError(
                f"{path}: not a readable torch file ({error}); it is damaged: fetch it again"
            ) from error


def _interpret(thing: Any, container: str, owner: str) -> FileContents:
    if isinstance(thing, ModuleStub):
        return _official({"G_ema": thing}, {}, container, owner)
    if isinstance(thing, tuple | list) and len(thing) == 3 and all(isinstance(part, TensorFlowStub) for part in thing):
        G, D, Gs = (tensorflow.read_network(part, owner=owner) for part in thing)
        return FileContents("TensorFlow pickle", {"G_ema": Gs, "G": G, "D": D})
    if (tensor := as_tensor(thing)) is not None:
        raise CheckpointError(f"{owner}: one tensor of shape {tuple(tensor.shape)}, a latent code, expected a network")
    if not isinstance(thing, dict):
        raise CheckpointError(f"{owner}: a pickled {type(thing).__name__}, expected the networks of a StyleGAN")
    modules = {name: part for name, part in thing.items() if isinstance(part, ModuleStub)}
    if modules:
        return _official(modules, thing, container, owner)
    return _state_dicts(thing, container, owner)


def _official(modules: dict[Any, ModuleStub], whole: dict[Any, Any], container: str, owner: str) -> FileContents:
    networks = {role: official.read_network(modules[role], owner=owner) for role in ROLES if role in modules}
    if not networks:
        raise CheckpointError(f"{owner}: none of {', '.join(ROLES)} inside, so no network that can be used")
    notes: list[str] = []
    facts: dict[str, Any] = {}
    for name, part in whole.items():
        if name in networks:
            continue
        if isinstance(part, ModuleStub) and part.class_name == "AugmentPipe":
            p = as_tensor(part.table("_buffers").get("p"))
            notes.append(
                f"augment_pipe with p = {p.item():.3f}" if p is not None and p.numel() == 1 else "augment_pipe"
            )
        elif name == "training_set_kwargs" and isinstance(part, dict):
            facts[name] = {key: value for key, value in part.items() if isinstance(value, str | int | float | None)}
        elif part is not None:
            notes.append(f"{str(name)[:60]}: left aside")
    strange = sorted({name for role in networks for name in official.unknown_attributes(modules[role])})
    if strange:
        notes.append(f"attributes of a fork, ignored: {', '.join(strange[:8])}")
    family = "stylegan3" if networks[next(iter(networks))].kind == "stylegan3-generator" else "stylegan2-ada"
    return FileContents(f"{family} {container}", networks, tuple(notes), facts)


def _state_dicts(thing: dict[Any, Any], container: str, owner: str) -> FileContents:
    """Dictionaries of tensors, by the names in them."""
    if isinstance(state := thing.get("g_ema"), dict):
        average = as_tensor(thing.get("latent_avg"))
        rest = [str(name)[:60] for name in thing if name not in ("g_ema", "latent_avg")]
        notes = (f"left aside: {', '.join(rest[:8])}",) if rest else ()
        weights = rosinality.read(_tensors(state), average, owner=owner)
        return FileContents(f"rosinality {container}", {"G_ema": weights}, (*notes, _CLAMP_NOTE))
    if isinstance(state := thing.get("state_dict"), dict) and any(_starts(name, "decoder.") for name in state):
        average = as_tensor(thing.get("latent_avg"))
        decoder = {name.removeprefix("decoder."): t for name, t in _tensors(state).items() if _starts(name, "decoder.")}
        weights = rosinality.read(decoder, average, owner=owner)
        return FileContents(f"encoder4editing {container}", {"G_ema": weights}, ("an encoder, left aside", _CLAMP_NOTE))
    tensors = _tensors(thing)
    if rosinality.MARK in tensors:
        return FileContents(
            f"rosinality {container}", {"G_ema": rosinality.read(tensors, None, owner=owner)}, (_CLAMP_NOTE,)
        )
    if tensors and len(tensors) == len(thing):
        return read_state_dict(tensors, format=f"{container} of tensors", owner=owner)
    names = ", ".join(str(name)[:40] for name in list(thing)[:6]) or "nothing"
    raise CheckpointError(f"{owner}: a dictionary of {names}: not the layout of any network known here")


_CLAMP_NOTE = "this naming does not record clamps: networks trained in half precision may have had one"


_FUSED_NOTE = "this naming does not record the upsampling operator: TensorFlow's rule is taken"


def read_state_dict(tensors: Mapping[str, Tensor], *, format: str, owner: str) -> FileContents:
    """The network that tensors under official names belong to.

    Raises:
        CheckpointError: if the names are of no known network.
    """
    tensors = dict(tensors)
    try:
        if "synthesis.layer0.const" in tensors and "synthesis.lod" in tensors:
            weights = Weights("stylegan1-generator", shapes.stylegan1_generator(tensors), tensors)
            return FileContents(format, {"G_ema": weights}, (_FUSED_NOTE,))
        if any(name.startswith("synthesis.b4.") for name in tensors):
            weights = Weights("stylegan2-generator", shapes.stylegan2_generator(tensors), tensors)
            return FileContents(format, {"G_ema": weights}, (_CLAMP_NOTE,))
        if "synthesis.input.freqs" in tensors:
            weights = Weights("stylegan3-generator", shapes.stylegan3_generator(tensors), tensors)
            return FileContents(format, {"G_ema": weights})
        if "b4.out.weight" in tensors:
            weights = Weights("stylegan2-discriminator", shapes.stylegan2_discriminator(tensors), tensors)
            return FileContents(format, {"D": weights}, (_CLAMP_NOTE,))
    except (ValueError, KeyError, IndexError, RuntimeError) as error:
        raise shapes.refuse(owner, "a network", error) from error
    raise CheckpointError(f"{owner}: tensors such as {next(iter(tensors), 'none')[:60]}, of no network known here")


def _starts(name: Any, prefix: str) -> bool:
    return isinstance(name, str) and name.startswith(prefix)


def _tensors(table: Mapping[Any, Any]) -> dict[str, Tensor]:
    found = {name: as_tensor(value) for name, value in table.items() if isinstance(name, str)}
    return {name: tensor for name, tensor in found.items() if tensor is not None}
