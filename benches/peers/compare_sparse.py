#!/usr/bin/env python3
"""A million neurons that are mostly silent: NEST, NEURON's IntFire1 and Apical, one after the other, in turns.

The circuit of netlists/sparse/million.toml: ten synapses each, 0.1 spikes a second and neuron. NEST updates every neuron at
every 0.1 ms. NEURON's cells are event-driven as well, but jump at each arrival where those of NEST and of million.toml have
synaptic currents; netlists/sparse/jumps.toml is the same circuit with jumps, by which NEURON is judged.
Needs about 7 GiB and, with one round, two minutes; --neurons 100000 takes a tenth of both.

    pip install nest-simulator neuron numpy
    cargo build --release && python benches/peers/compare_sparse.py
"""

import sides


def deliveries(row):
    """Millions of spikes that arrive at a synapse, a second of wall time: ten of each neuron, one of its drive."""
    return 11 * sides.rate(row) * row["neurons"] * row["model_s"] / row["wall_s"] / 1e6


def main():
    parser = sides.options(__doc__)
    parser.add_argument("--neurons", type=int, default=1_000_000)
    parser.add_argument("--nest-ms", type=float, default=300.0, help="model time of NEST [%(default)s]")
    parser.add_argument("--seconds", type=float, default=10.0, help="model time of the others [%(default)s]")
    parser.add_argument("--without", nargs="*", default=[], choices=["nest", "neuron"])
    given = parser.parse_args()
    both = ["--threads", given.threads, "--neurons", given.neurons]
    cut = [f"population.cells.size={given.neurons}", f"population.drive.size={given.neurons // 100}"]
    cut += [f"stage.run.duration={given.seconds:g} s"]
    runs = {
        "nest": lambda: sides.peer("nest_sparse.py", *both, "--model-ms", given.nest_ms),
        "neuron": lambda: sides.peer("neuron_intfire.py", *both, "--model-ms", 1e3 * given.seconds),
        "apical": lambda: sides.ours("netlists/sparse/million.toml", *cut, threads=given.threads),
        "jumps": lambda: sides.ours("netlists/sparse/jumps.toml", *cut, threads=given.threads),
    }
    found = sides.in_turns({name: run for name, run in runs.items() if name not in given.without}, given.rounds)
    columns = [("M deliveries per wall s", deliveries, ".3g")]
    sides.table(f"{given.neurons:,} neurons, ten synapses each, 0.1 Hz", found, columns)
    mine = sides.median(found["apical"])
    if "nest" in found:
        sides.ratio("NEST's wall time over Apical's", sides.median(found["nest"]) / mine, 500)
    if "neuron" in found:
        theirs = sides.median(found["neuron"], deliveries)
        sides.ratio("Apical's deliveries a second over NEURON's, both with jumps", sides.median(found["jumps"], deliveries) / theirs, 10)
        print(f"The same with synaptic currents here: {sides.median(found['apical'], deliveries) / theirs:.3g}")
    memory = sides.median(found["apical"], lambda row: row["memory"])
    print(f"Apical's memory: {memory:.0f} MiB (asked: at most 1,024)")


if __name__ == "__main__":
    main()
