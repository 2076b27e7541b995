"""Processor seconds a picture of the synthetic people, by stage, on one thread.

The baseline is the same picture with its person built anew each time; the ratio says what several poses of one built
person save::

    python benchmarks/synth.py [--size 256x128] [--people 6] [--poses 4]
"""

from __future__ import annotations

import argparse
import time

from vitruvian.mannequin.synth import SynthOptions, person_pictures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", default="256x128")
    parser.add_argument("--people", type=int, default=6)
    parser.add_argument("--poses", type=int, default=4)
    arguments = parser.parse_args()
    height, width = (int(side) for side in arguments.size.split("x"))
    options = SynthOptions(height=height, width=width)
    list(person_pictures(0, 1, options))  # compiles the kernels and fills the caches

    def seconds(poses: int, first_seed: int) -> float:
        started = time.process_time()
        for seed in range(first_seed, first_seed + arguments.people):
            list(person_pictures(seed, poses, options))
        return (time.process_time() - started) / (arguments.people * poses)

    alone, shared = seconds(1, 1), seconds(arguments.poses, 1)
    print(f"synthetic people {arguments.size}, one thread, {arguments.people} people")
    print(f"  one pose a person     {alone:6.3f} s a picture")
    hourly = 2 * 3600 / shared
    print(f"  {arguments.poses} poses a person    {shared:6.3f} s a picture, {hourly:,.0f} an hour on two cores")
    print(f"  ratio {alone / shared:.2f}")


if __name__ == "__main__":
    main()
