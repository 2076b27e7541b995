"""A network to the Hugging Face hub, its card as the model card."""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass
from pathlib import Path

from vitruvian.checkpoints import Card, find_network, read_contents
from vitruvian.errors import CheckpointError, MissingExtraError
from vitruvian.options.models import PushModelOptions


@dataclass(frozen=True)
class Publication:
    address: str | None
    """Where the model is now; None after a dry run."""
    model_card: str


def push_model(options: PushModelOptions) -> Publication:
    """Upload a native network with a model card.

    Raises:
        CheckpointError: for a file without a card, or if the hub refuses.
        MissingExtraError: without the extra ``hub``.
    """
    path = find_network(options.file)
    _, card = read_contents(path)
    if card is None:
        raise CheckpointError(f"{path}: has no card to publish; convert it first: vitruvian models convert {path} ...")
    if not card.licence:
        raise CheckpointError(f"{path}: its card names no licence; nobody could use it")
    text = model_card(card, options.repository)
    if options.dry_run:
        return Publication(None, text)
    return Publication(_upload(path, text, options), text)


def _upload(path: Path, text: str, options: PushModelOptions) -> str:
    try:
        import huggingface_hub
        from huggingface_hub.errors import HfHubHTTPError, LocalTokenNotFoundError
    except ImportError:
        raise MissingExtraError("models push", "hub") from None
    try:
        hub = huggingface_hub.HfApi()
        hub.create_repo(options.repository, private=options.private, exist_ok=True)
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "README.md").write_text(text)
            (Path(folder) / path.name).symlink_to(path.resolve())
            hub.upload_folder(
                repo_id=options.repository, folder_path=folder, commit_message=f"{path.stem} with its card"
            )
    except (HfHubHTTPError, LocalTokenNotFoundError, OSError) as error:
        reason = " ".join(str(error).split())[:200]
        raise CheckpointError(
            f"{options.repository}: the hub refuses ({reason}); log in with: hf auth login"
        ) from error
    return f"hf://{options.repository}/{path.name}"


def model_card(card: Card, repository: str) -> str:
    """The README of a model repository: metadata for the hub, then the card in words."""
    known = ("apache-2.0", "mit", "cc0-1.0", "cc-by-4.0", "cc-by-nc-4.0", "cc-by-sa-4.0")
    licence = card.licence.lower() if card.licence.lower() in known else "other"
    head = [
        "---",
        f"license: {licence}",
        "library_name: vitruvian",
        "tags: [gan, stylegan, image-generation]",
        "---",
        "",
    ]
    name = card.name or repository.split("/")[1]
    parts = {
        "Data": card.data,
        "Intended use": card.intended_use,
        "Limits": card.limits,
        "Licence": card.licence,
        "Training": _listed(card.training),
        "Quality": _listed(card.metrics),
        "Architecture": f"{card.kind}\n\n```json\n{json.dumps(card.config, indent=2)}\n```",
        "Use": f"```\nvitruvian generate --network hf://{repository} --seeds 0-15 --grid\n```",
    }
    body = [f"# {name}", "", card.description, ""]
    for title, text in parts.items():
        if text:
            body += [f"## {title}", "", text, ""]
    return "\n".join([*head, *body])


def _listed(facts: dict[str, object]) -> str:
    return "\n".join(f"- {name}: {value}" for name, value in facts.items())
