#!/usr/bin/env python3
"""Reward-modulated learning in NumPy and in Apical, one after the other in one run, each on one thread.

Workload: a training step of netlists/reward/estimation.toml (see reward_numpy.py). Both sides run three times,
alternating; the fastest of each counts. Prints one JSON line with microseconds a step and their ratio.

    cargo build --release && python benches/peers/compare_reward.py
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent


def numpy_step(steps):
    """Microseconds a step of the NumPy script."""
    threads = {name: "1" for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")}
    command = [sys.executable, str(HERE / "reward_numpy.py"), "--steps", str(steps)]
    done = subprocess.run(command, env=os.environ | threads, check=True, capture_output=True, text=True)
    return json.loads(done.stdout.splitlines()[-1])["us_per_step"]


def apical_step(program, out, steps):
    """Microseconds a training step of Apical."""
    netlist = str(ROOT / "netlists" / "reward" / "estimation.toml")
    command = [program, "run", netlist, "--threads", "1", "--out", out, "--overwrite", "--json"]
    command += ["--set", f"stage.train.steps={steps}"]
    command += ["--set", "stage.test.steps=100000", "--set", "stage.probe.steps=100000"]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    train = next(s for s in json.loads(done.stdout)["stages"] if s["name"] == "train")
    return 1e6 * train["wall_seconds"] / train["steps"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--apical", default=str(ROOT / "target" / "release" / "apical"))
    parser.add_argument("--steps", type=int, default=100_000, help="NumPy steps; Apical takes 20 times as many")
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    times = {"numpy": [], "apical": []}
    with tempfile.TemporaryDirectory() as out:
        for _ in range(args.rounds):
            times["numpy"].append(numpy_step(args.steps))
            times["apical"].append(apical_step(args.apical, out, 20 * args.steps))
    best = {name: min(found) for name, found in times.items()}
    print(json.dumps({"us_per_step": best, "all": times, "ratio": round(best["numpy"] / best["apical"], 1)}))


if __name__ == "__main__":
    main()
