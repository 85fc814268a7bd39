#!/usr/bin/env python3
"""Passive cells with five compartments: Arbor and Apical, one after the other, in turns.

The circuit of benches/netlists/cable.toml: 1,000 cells in rings of ten, 100 synapses each. Arbor's synapses are
conductances, Apical's currents of the same time course, so strong that rates are the same.

    pip install arbor numpy
    cargo build --release && python benches/peers/compare_cable.py
"""

import sides


def deliveries(row):
    """Millions of spikes that arrive at a synapse, a second of wall time."""
    return 100 * sides.rate(row) * row["neurons"] * row["model_s"] / row["wall_s"] / 1e6


def main():
    parser = sides.options(__doc__)
    parser.add_argument("--seconds", type=float, default=1.0, help="model time [%(default)s]")
    given = parser.parse_args()
    netlist, settings = "benches/netlists/cable.toml", [f"stage.run.duration={given.seconds:g} s"]
    arguments = ["--model-ms", 1e3 * given.seconds, "--threads", given.threads]
    runs = {
        "arbor": lambda: sides.peer("arbor_cable.py", *arguments),
        "apical": lambda: sides.ours(netlist, *settings, threads=given.threads),
    }
    found = sides.in_turns(runs, given.rounds)
    columns = [("M deliveries per wall s", deliveries, ".3g")]
    sides.table("1,000 passive cells, five compartments, 100 synapses each", found, columns)
    sides.ratio("Arbor's wall time over Apical's", sides.median(found["arbor"]) / sides.median(found["apical"]), 5)


if __name__ == "__main__":
    main()
