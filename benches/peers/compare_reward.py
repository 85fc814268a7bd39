#!/usr/bin/env python3
"""Reward-modulated learning in NumPy and in Apical, one after the other in one run, each on one thread.

Workload: a training step of netlists/reward/estimation.toml (see reward_numpy.py). Both sides run three times,
alternating; the fastest of each counts. Prints one JSON line with microseconds a step and their ratio.

    cargo build --release && python benches/peers/compare_reward.py
"""

import argparse
import json

import sides


def numpy_step(steps):
    """Microseconds a step of the NumPy script."""
    return sides.peer("reward_numpy.py", "--steps", steps)["us_per_step"]


def apical_step(program, steps):
    """Microseconds a training step of Apical."""
    settings = {"train": steps, "test": 100_000, "probe": 100_000}
    arguments = [part for stage, count in settings.items() for part in ("--set", f"stage.{stage}.steps={count}")]
    found, _ = sides.run_json("netlists/reward/estimation.toml", *arguments, program=program)
    train = next(stage for stage in found["stages"] if stage["name"] == "train")
    return 1e6 * train["wall_seconds"] / train["steps"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--apical", default=sides.apical())
    parser.add_argument("--steps", type=int, default=100_000, help="NumPy steps; Apical takes 20 times as many")
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    times = {"numpy": [], "apical": []}
    for _ in range(args.rounds):
        times["numpy"].append(numpy_step(args.steps))
        times["apical"].append(apical_step(args.apical, 20 * args.steps))
    best = {name: min(found) for name, found in times.items()}
    print(json.dumps({"us_per_step": best, "all": times, "ratio": round(best["numpy"] / best["apical"], 1)}))


if __name__ == "__main__":
    main()
