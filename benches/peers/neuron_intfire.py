#!/usr/bin/env python3
"""NEURON: the circuit of netlists/sparse/million.toml with event-driven IntFire1 cells (no time step), ten NetCons each.

An IntFire1 cell jumps at each spike that arrives, its simplest model; a hundred cells share a NetStim that makes them fire.
"""

import argparse
import os
import time

os.environ.setdefault("NEURON_MODULE_OPTIONS", "-nogui")

import neuron
import numpy as np
from neuron import h

import sides

options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
options.add_argument("--threads", type=int, default=1)
options.add_argument("--neurons", type=int, default=1_000_000)
options.add_argument("--rate", type=float, default=0.1, help="Hz")
options.add_argument("--warm-ms", type=float, default=100.0)
options.add_argument("--model-ms", type=float, default=5000.0)
given = options.parse_args()

DELAY = 1.5  # ms
n = given.neurons
rng = np.random.default_rng(1)
parallel = h.ParallelContext()
cells = [h.IntFire1() for _ in range(n)]
for cell in cells:
    cell.tau, cell.refrac = 20.0, 2.0
synapses = []
for cell, targets in zip(cells, rng.integers(0, n, (n, 10))):
    synapses.extend(h.NetCon(cell, cells[target], 0, DELAY, 0.025) for target in targets)
drives = []
for group in range(n // 100):
    drive = h.NetStim()
    drive.interval, drive.number, drive.start, drive.noise = 1e3 / given.rate, 1e9, 0.0, 1.0
    drive.noiseFromRandom123(group, 1, 0)
    drives.append(drive)
    synapses.extend(h.NetCon(drive, cell, 0, DELAY, 1.1) for cell in cells[group * 100 : group * 100 + 100])
counted = cells[:: max(1, n // 10_000)]
times, recorders = h.Vector(), [h.NetCon(cell, None) for cell in counted]
for recorder in recorders:
    recorder.record(times)
h.dt = 0.1
parallel.nthread(given.threads)
parallel.set_maxstep(10)
h.finitialize()

parallel.psolve(given.warm_ms)
before = int(times.size())
begun = time.perf_counter()
parallel.psolve(given.warm_ms + given.model_ms)
wall = time.perf_counter() - begun
sides.tell(
    "NEURON " + neuron.__version__,
    wall_s=wall,
    model_s=given.model_ms / 1e3,
    neurons=n,
    spikes=round((times.size() - before) * n / len(counted)),
    threads=given.threads,
)
os._exit(0)  # freeing ten million objects takes minutes
