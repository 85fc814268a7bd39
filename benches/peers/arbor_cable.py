#!/usr/bin/env python3
"""Arbor: the circuit of benches/netlists/cable.toml, 1,000 passive cells of five control volumes with 100 synapses each.

As in Arbor's own busyring: in each ring of ten cells one strong connection keeps a spike going round, the other 99 of a
cell come from anywhere and have weight 0, so that the traffic is real and the dynamics are known.
"""

import argparse
import time

import arbor
import numpy as np
from arbor import units as unit

import sides

options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
options.add_argument("--threads", type=int, default=1)
options.add_argument("--cells", type=int, default=1000)
options.add_argument("--synapses", type=int, default=100)
options.add_argument("--warm-ms", type=float, default=50.0)
options.add_argument("--model-ms", type=float, default=1000.0)
options.add_argument("--step-ms", type=float, default=0.025)
given = options.parse_args()

RING, DELAY, WEIGHT, THRESHOLD = 10, 5.0, 0.02, -50.0  # cells, ms, uS, mV


class Rings(arbor.recipe):
    def __init__(self):
        arbor.recipe.__init__(self)
        self.properties = arbor.neuron_cable_properties()
        self.tree = arbor.segment_tree()
        soma = self.tree.append(arbor.mnpos, arbor.mpoint(-10, 0, 0, 10), arbor.mpoint(10, 0, 0, 10), tag=1)
        self.tree.append(soma, arbor.mpoint(10, 0, 0, 0.5), arbor.mpoint(210, 0, 0, 0.5), tag=3)
        places = {"centre": "(on-components 0.5 (tag 1))", "middle": "(on-components 0.5 (tag 3))"}
        self.labels = arbor.label_dict({"soma": "(tag 1)", "dendrite": "(tag 3)"} | places)
        self.volumes = arbor.cv_policy_fixed_per_branch(1, "(tag 1)") | arbor.cv_policy_fixed_per_branch(4, "(tag 3)")
        rng = np.random.default_rng(1)
        self.sources = rng.integers(0, given.cells, (given.cells, given.synapses - 1))
        self.delays = DELAY + 2.0 * rng.random((given.cells, given.synapses - 1))

    def num_cells(self):
        return given.cells

    def cell_kind(self, cell):
        return arbor.cell_kind.cable

    def global_properties(self, kind):
        return self.properties

    def cell_description(self, cell):
        decor = arbor.decor().paint('"soma"', arbor.density("pas", {"g": 0.0001}))
        decor = decor.paint('"dendrite"', arbor.density("pas", {"g": 0.001}))
        decor = decor.place('"centre"', arbor.threshold_detector(THRESHOLD * unit.mV), "detector")
        decor = decor.place('"middle"', arbor.synapse("expsyn", {"tau": 2.0}), "strong")
        everywhere = f"(uniform (tag 3) 0 {given.synapses - 2} {cell})"
        decor = decor.place(everywhere, arbor.synapse("expsyn", {"tau": 2.0}), "weak")
        return arbor.cable_cell(self.tree, decor, self.labels, self.volumes)

    def connections_on(self, cell):
        first = cell - cell % RING
        strong = arbor.connection((first + (cell - first - 1) % RING, "detector"), "strong", WEIGHT, DELAY * unit.ms)
        weak = arbor.cell_local_label("weak", arbor.selection_policy.round_robin)
        others = zip(self.sources[cell], self.delays[cell])
        return [strong] + [arbor.connection((int(s), "detector"), weak, 0.0, float(d) * unit.ms) for s, d in others]

    def event_generators(self, cell):
        start = [1.0 * unit.ms]
        return [] if cell % RING else [arbor.event_generator("strong", WEIGHT, arbor.explicit_schedule(start))]


recipe = Rings()
context = arbor.context(threads=given.threads)
hint = arbor.partition_hint()
hint.cpu_group_size = -(-given.cells // given.threads)
parts = arbor.partition_load_balance(recipe, context, {arbor.cell_kind.cable: hint})
simulation = arbor.simulation(recipe, context, parts, 1)
simulation.record(arbor.spike_recording.all)

simulation.run(given.warm_ms * unit.ms, given.step_ms * unit.ms)
before = len(simulation.spikes())
begun = time.perf_counter()
simulation.run((given.warm_ms + given.model_ms) * unit.ms, given.step_ms * unit.ms)
wall = time.perf_counter() - begun
sides.tell(
    "Arbor " + arbor.config()["version"],
    wall_s=wall,
    model_s=given.model_ms / 1e3,
    neurons=given.cells,
    spikes=len(simulation.spikes()) - before,
    threads=given.threads,
)
