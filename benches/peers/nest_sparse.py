#!/usr/bin/env python3
"""NEST: the circuit of netlists/sparse/million.toml, iaf_psc_exp neurons with ten outgoing synapses each.

One spike_generator for a hundred neurons, each with its own Poisson train and strong enough to make them fire: no device
has to be updated for every neuron. Recurrent synapses are weak (0.5 mV), so that the rate stays at --rate.
"""

import argparse
import time

import nest
import numpy as np

import sides

options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
options.add_argument("--threads", type=int, default=1)
options.add_argument("--neurons", type=int, default=1_000_000)
options.add_argument("--rate", type=float, default=0.1, help="Hz")
options.add_argument("--warm-ms", type=float, default=30.0)
options.add_argument("--model-ms", type=float, default=300.0)
options.add_argument("--step-ms", type=float, default=0.1)
given = options.parse_args()

DELAY, WEIGHT, DRIVE = 1.5, 80.7, 3700.0  # ms, pA, pA
n, groups = given.neurons, given.neurons // 100
warm, model = (round(ms / DELAY) * DELAY for ms in (given.warm_ms, given.model_ms))

nest.verbosity = nest.VerbosityLevel.ERROR
nest.set(local_num_threads=given.threads, resolution=given.step_ms, rng_seed=1)
membrane = dict(C_m=250.0, tau_m=20.0, t_ref=2.0, E_L=0.0, V_reset=0.0, V_th=20.0, V_m=0.0, tau_syn_ex=2.0, tau_syn_in=2.0)
cells = nest.Create("iaf_psc_exp", n, params=membrane)
rng = np.random.default_rng(1)
steps = int((warm + model + DELAY) / given.step_ms)
trains = [np.unique(rng.integers(1, steps - 1, rng.poisson(given.rate * steps * given.step_ms / 1e3))) for _ in range(groups)]
drive = nest.Create("spike_generator", groups, params=[{"spike_times": np.round(t * given.step_ms, 6)} for t in trains])
nest.Connect(cells, cells, {"rule": "fixed_outdegree", "outdegree": 10}, {"weight": WEIGHT, "delay": DELAY})
for k in range(100):
    nest.Connect(drive, cells[k * groups : (k + 1) * groups], "one_to_one", {"weight": DRIVE, "delay": DELAY})
nest.Prepare()
nest.Run(nest.min_delay)

nest.Run(warm)
begun = time.perf_counter()
nest.Run(model)
wall = time.perf_counter() - begun
sides.tell(
    "NEST " + nest.__version__,
    wall_s=wall,
    model_s=model / 1e3,
    neurons=n,
    spikes=int(nest.local_spike_counter),
    threads=given.threads,
)
nest.Cleanup()
