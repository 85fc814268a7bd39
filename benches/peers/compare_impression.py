#!/usr/bin/env python3
"""Impression learning in NumPy and in Apical, one after the other in one run, each on one thread.

Workload: a training step of netlists/impression/artificial.toml (see impression_numpy.py). The NumPy script runs
twice: written straightforwardly, drawing each step's noise in that step, and drawing it in blocks of 500 steps. Both
sides run three times, alternating; the fastest of each counts. Prints one JSON line with microseconds a step and ratios.

    cargo build --release && python benches/peers/compare_impression.py
"""

import argparse
import json

import sides


def numpy_step(steps, block):
    """Microseconds a step of the NumPy script."""
    return sides.peer("impression_numpy.py", "--steps", steps, "--block", block)["us_per_step"]


def apical_step(program):
    """Microseconds a training step of Apical."""
    found, _ = sides.run_json("netlists/impression/artificial.toml", program=program)
    train = next(stage for stage in found["stages"] if stage["name"] == "train")
    return 1e6 * train["wall_seconds"] / train["steps"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--apical", default=sides.apical())
    parser.add_argument("--steps", type=int, default=40_000, help="NumPy steps")
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    times = {"numpy": [], "numpy_blocks": [], "apical": []}
    for _ in range(args.rounds):
        times["numpy"].append(numpy_step(args.steps, 1))
        times["numpy_blocks"].append(numpy_step(args.steps, 500))
        times["apical"].append(apical_step(args.apical))
    best = {name: min(found) for name, found in times.items()}
    print(
        json.dumps(
            {
                "us_per_step": best,
                "all": times,
                "ratio": round(best["numpy"] / best["apical"], 1),
                "ratio_blocks": round(best["numpy_blocks"] / best["apical"], 1),
            }
        )
    )


if __name__ == "__main__":
    main()
