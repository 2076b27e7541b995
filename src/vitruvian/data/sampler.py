"""The endless, locally shuffled order in which training draws pictures, with a state that can be saved.

The sequence is the original's (``InfiniteSampler`` of the StyleGAN tools): one shuffle, then each drawn place
is exchanged with a random one in a window behind it. It is no permutation per epoch: a picture can come again
before all were seen.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from vitruvian.errors import DatasetError, OptionError


class InfiniteSampler:
    """Endless picture indices for one of ``num_replicas`` processes that share a seed.

    Every replica walks the whole sequence and takes each ``num_replicas``-th index. A draw walks one round of
    ``num_replicas`` places, so that after equally many draws the state is the same on every replica: one
    saved copy serves all, and training can go on with another number of them.
    """

    def __init__(
        self,
        size: int,
        *,
        seed: int = 0,
        rank: int = 0,
        num_replicas: int = 1,
        window_size: float = 0.5,
    ) -> None:
        """:param window_size: the window as a fraction of ``size``; below two places nothing is exchanged."""
        if size < 1:
            raise OptionError(f"size is {size}, expected at least 1 picture")
        if not 0 <= rank < num_replicas:
            raise OptionError(f"rank is {rank}, expected at least 0 and below num_replicas, {num_replicas}")
        if not 0 <= window_size <= 1:
            raise OptionError(f"window_size is {window_size}, expected a fraction from 0 to 1")
        self.size = size
        self.rank = rank
        self.num_replicas = num_replicas
        self._window = int(np.rint(size * window_size))
        self._random = np.random.RandomState(seed)
        self._order = np.arange(size)
        self._random.shuffle(self._order)
        self._index = 0  # places walked so far by all replicas together

    def __iter__(self) -> Iterator[int]:
        return self

    def __next__(self) -> int:
        drawn = -1
        for _ in range(self.num_replicas):
            place = self._index % self.size
            if self._index % self.num_replicas == self.rank:
                drawn = int(self._order[place])
            if self._window >= 2:
                other = (place - self._random.randint(self._window)) % self.size
                self._order[place], self._order[other] = self._order[other], self._order[place]
            self._index += 1
        return drawn

    def state_dict(self) -> dict[str, Any]:
        """Everything the coming draws follow from: plain numbers, strings and numpy arrays."""
        name, keys, position, has_gauss, cached_gaussian = self._random.get_state(legacy=True)
        return {
            "order": self._order.copy(),
            "index": self._index,
            "random_name": name,
            "random_keys": np.array(keys),
            "random_position": int(position),
            "random_has_gauss": int(has_gauss),
            "random_cached_gaussian": float(cached_gaussian),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on where :meth:`state_dict` was taken, on any rank and with any number of replicas."""
        order = np.array(state["order"], dtype=np.int64)
        if order.shape != (self.size,):
            raise DatasetError(
                f"the saved sampler walked {order.size} pictures, this set has {self.size}:"
                " resume with the picture set, subset and mirroring of the run"
            )
        self._order = order
        self._index = int(state["index"])
        self._random.set_state(
            (
                state["random_name"],
                np.asarray(state["random_keys"], np.uint32),
                state["random_position"],
                state["random_has_gauss"],
                state["random_cached_gaussian"],
            )
        )
