#!/usr/bin/env python3
"""Spike pairs and dopamine: NEST and Apical, one after the other, in turns.

The network of benches/netlists/dopamine.toml: 1,000 neurons, 100 synapses onto each, 64,000 of them plastic, a Poisson
background of 2.9 kHz for every neuron.

    pip install nest-simulator numpy
    cargo build --release && python benches/peers/compare_dopamine.py
"""

import sides


def main():
    parser = sides.options(__doc__)
    parser.add_argument("--seconds", type=float, default=5.0, help="model time [%(default)s]")
    given = parser.parse_args()
    netlist, settings = "benches/netlists/dopamine.toml", [f"stage.run.duration={given.seconds:g} s"]
    arguments = ["--model-ms", 1e3 * given.seconds, "--threads", given.threads]
    runs = {
        "nest": lambda: sides.peer("nest_dopamine.py", *arguments),
        "apical": lambda: sides.ours(netlist, *settings, population=["E", "I"], threads=given.threads),
    }
    found = sides.in_turns(runs, given.rounds)
    sides.table("Dopamine-modulated plasticity, 1,000 neurons", found)
    last = found["nest"][-1]
    print(f"NEST's weights at the end: {last['weight_mean']:.3f} ± {last['weight_sd']:.3f} J")
    sides.ratio("NEST's wall time over Apical's", sides.median(found["nest"]) / sides.median(found["apical"]), 20)


if __name__ == "__main__":
    main()
