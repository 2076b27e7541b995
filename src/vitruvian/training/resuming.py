"""What a resumed run takes from its folder, and what it may be told anew."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vitruvian.errors import OptionError
from vitruvian.options.train import TrainOptions
from vitruvian.training.plan import Plan, resumed_plan
from vitruvian.training.run_folder import RunFolder

MAY_CHANGE = frozenset({"kimg", "gamma", "glr", "dlr", "data", "snap", "tick"})
_OF_THE_COMMAND = frozenset({"resume", "outdir", "device", "dry_run"})  # no part of what a run computes


@dataclass(frozen=True, slots=True)
class BegunRun:
    """A run found on disk."""

    folder: RunFolder
    options: TrainOptions
    """Those it was begun with, and what this command gives anew."""
    has_other_data: bool
    """Whether this command names another picture set than the run was last trained on."""
    _stored_plan: dict[str, Any]
    _given: frozenset[str]

    def plan(self, fresh: Plan) -> Plan:
        """The plan of the run; ``fresh``: what its options mean today."""
        try:
            return resumed_plan(fresh, self._stored_plan, self._given)
        except TypeError as error:
            raise OptionError(f"{self.folder.path}: its plan is of another version of vitruvian ({error})") from error


def find_begun(options: TrainOptions) -> BegunRun | None:
    """The run that ``--resume`` names, or None without that option.

    Raises:
        OptionError: if there is no such run, or an option is given that cannot change in the middle of one.
    """
    if options.resume is None:
        return None
    folder = RunFolder.find(options.resume, options.outdir)
    document = folder.read_options()
    try:
        stored = dict(document["options"])
        begun = TrainOptions(**{**stored, "data": Path(stored["data"]), "outdir": Path(stored["outdir"])})
        stored_plan = dict(document["plan"])
    except (KeyError, TypeError, ValueError) as error:
        raise OptionError(
            f"{folder.path / 'options.json'}: not the options of a run of this version ({error});"
            " the run cannot be resumed"
        ) from error
    given = {name for name, value in vars(options).items() if value != getattr(TrainOptions, name)}
    for name in sorted(given - MAY_CHANGE - _OF_THE_COMMAND):
        if getattr(options, name) != getattr(begun, name):
            raise OptionError(
                f"--{name.replace('_', '-')} {getattr(options, name)}: the run was begun with"
                f" {getattr(begun, name)}; a resumed run may change {', '.join(sorted(MAY_CHANGE))}"
            )
    anew = {name: getattr(options, name) for name in (given & MAY_CHANGE) | _OF_THE_COMMAND}
    merged = TrainOptions(**{**vars(begun), **anew, "outdir": folder.path.parent})
    return BegunRun(folder, merged, merged.data != begun.data, stored_plan, frozenset(given & MAY_CHANGE))
