#!/usr/bin/env python3
"""CLAPP in PyTorch and in Apical, one after the other in one run, on one and on two threads.

Workload: steps of learning of netlists/clapp/images.toml (32 replicas, four convolutional layers; an update every nine steps), of
netlists/clapp/speech.toml (30 replicas, two layers of temporal convolutions; an update every 16 steps) and of netlists/clapp/video.toml (8 replicas,
two spatial layers and a spatio-temporal one; an update every 25 steps). PyTorch, clapp_steps_torch.py, does the same network, batch and number of steps an update, with gradients by automatic differentiation. Time is that of input patches or frames, forward
passes, learning and Adam: of Apical that of a stage that only learns, without measures; PyTorch's local contrasts are made before. The sides take
turns; medians of all rounds count.

    pip install torch numpy
    cargo build --release && python benches/peers/compare_clapp.py --data DIR
"""

import argparse
import pathlib
import statistics
import tempfile

import sides

# Input of a stage that learns.
NETWORKS = {
    "images": '{ pictures = { split = "train", saccade = 0.5 } }',
    "speech": '{ speech = "train" }',
    "video": '{ film = "train" }',
}
STEPS = {"images": 1_800, "speech": 8_000, "video": 2_500}


def learning_alone(name):
    """A netlist of the repository with one stage, which learns, and without measures."""
    text = (sides.ROOT / "netlists" / "clapp" / f"{name}.toml").read_text()
    circuit = text[: text.index("[[stage]]")]
    return f'{circuit}[[stage]]\nname = "learn"\nsteps = {STEPS[name]}\ninput = {NETWORKS[name]}\n'


def apical_step(name, data, threads):
    """Milliseconds a step of Apical."""
    with tempfile.TemporaryDirectory() as folder:
        netlist = pathlib.Path(folder) / f"{name}.toml"
        netlist.write_text(learning_alone(name))
        found, _ = sides.run_json(netlist, "--data", data, threads=threads)
    (stage,) = found["stages"]
    return 1e3 * stage["wall_seconds"] / stage["steps"]


def torch_step(name, data, threads):
    """Milliseconds a step of PyTorch."""
    found = sides.peer("clapp_steps_torch.py", name, "--data", data, "--threads", threads, threads=threads)
    return found["ms_a_step"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3, help="runs of each side; the median counts [%(default)s]")
    parser.add_argument("--data", type=pathlib.Path, required=True, help="folder with the data sets")
    parser.add_argument("--networks", nargs="+", choices=NETWORKS, default=list(NETWORKS))
    options = parser.parse_args()
    data = options.data.resolve()
    print(f"{sides.machine()}; ms a step of learning, median of {options.rounds} (lowest to highest)\n")
    for name in options.networks:
        for threads in [1, 2]:
            each = {
                "PyTorch": lambda: torch_step(name, data, threads),
                "Apical": lambda: apical_step(name, data, threads),
            }
            found = sides.in_turns(each, options.rounds)
            for side, times in found.items():
                print(f"{name}, threads {threads}, {side:8} {statistics.median(times):.3f} ({min(times):.3f} to {max(times):.3f})")
            ratio = statistics.median(found["PyTorch"]) / statistics.median(found["Apical"])
            sides.ratio(f"{name}, threads {threads}, PyTorch's time over Apical's", ratio, 1)


if __name__ == "__main__":
    main()
