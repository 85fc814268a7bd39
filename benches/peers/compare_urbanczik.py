#!/usr/bin/env python3
"""Learning by dendritic prediction: NEST and Apical, one after the other, in turns.

The circuit of benches/netlists/urbanczik.toml, whose header says what corresponds to what: 100 neurons with 200 plastic
inputs each, parameters and inputs of NEST's own example. NEST's cost grows with the length of the run, since some inputs
of the example never fire and NEST keeps the history for them; the row "all active" is without such inputs.
Then Apical alone for 10, 100 and 1,000 s of model time.

    pip install nest-simulator numpy
    cargo build --release && python benches/peers/compare_urbanczik.py
"""

import sides

NETLIST = "benches/netlists/urbanczik.toml"


def main():
    parser = sides.options(__doc__)
    parser.add_argument("--patterns", type=int, default=14, help="of 200 ms, for NEST [%(default)s]")
    parser.add_argument("--lengths", type=float, nargs="*", default=[10.0, 100.0, 1000.0], help="s, for Apical")
    given = parser.parse_args()

    def nest(*more):
        return sides.peer("nest_urbanczik.py", "--patterns", given.patterns, "--threads", given.threads, *more)

    def apical(seconds):
        return sides.ours(NETLIST, f"stage.run.duration={seconds:g} s", threads=given.threads)

    runs = {
        "as its example": nest,
        "all active": lambda: nest("--all-active"),
        "the same": lambda: apical(0.2 * given.patterns),
    }
    found = sides.in_turns(runs, given.rounds)
    found |= {f"{length:g} s": [apical(length)] for length in given.lengths}
    sides.table("100 neurons, 200 inputs each, rule of Urbanczik and Senn 2014", found)
    last = found["as its example"][-1]
    print(f"NEST's second and last 200 ms: {last['first_s']:.3g} s and {last['last_s']:.3g} s of wall time")
    mine = sides.median(found["the same"])
    sides.ratio("NEST's wall time over Apical's", sides.median(found["as its example"]) / mine, 50)
    print(f"with all inputs active: {sides.median(found['all active']) / mine:.3g}")
    if len(given.lengths) > 1:
        ends = [sides.cost(found[f"{length:g} s"][0]) for length in (given.lengths[0], given.lengths[-1])]
        print(f"Apical's cost a model second, longest run over shortest: {ends[1] / ends[0]:.3g} (asked: flat)")


if __name__ == "__main__":
    main()
