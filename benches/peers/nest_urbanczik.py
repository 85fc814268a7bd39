#!/usr/bin/env python3
"""NEST: the circuit of benches/netlists/urbanczik.toml, pp_cond_exp_mc_urbanczik neurons with urbanczik_synapse inputs.

After NEST's own example of Urbanczik and Senn 2014, Fig. 1: frozen inputs of 10 Hz, repeated every 200 ms, onto the
dendrite; a teacher's conductances at the soma; without its recordings. In the example some inputs never fire, and NEST
keeps the history of the dendrite for them from the beginning on: --all-active gives each of them one spike.
"""

import argparse
import pathlib
import time

import nest
import numpy as np

import sides

options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
options.add_argument("--threads", type=int, default=1)
options.add_argument("--neurons", type=int, default=100)
options.add_argument("--patterns", type=int, default=14, help="of 200 ms each")
options.add_argument("--all-active", action="store_true")
options.add_argument("--pattern", type=pathlib.Path, default=sides.ROOT / "benches/netlists/urbanczik-pattern.csv")
given = options.parse_args()

INPUTS, PERIOD, STEP, C = 200, 200.0, 0.1, 300.0  # ms, ms, pF
pattern = [[] for _ in range(INPUTS)]
for neuron, at in np.loadtxt(given.pattern, delimiter=",", skiprows=1):
    pattern[int(neuron)].append(at)
if given.all_active:
    pattern = [times or [100.0 + 0.1 * number] for number, times in enumerate(pattern)]

nest.verbosity = nest.VerbosityLevel.ERROR
nest.set(local_num_threads=given.threads, resolution=STEP, rng_seed=1)
soma = dict(C_m=C, E_L=-70.0, g_L=30.0, E_ex=0.0, E_in=-75.0, tau_syn_ex=3.0, tau_syn_in=3.0)
dendrite = dict(C_m=C, E_L=-70.0, g_L=30.0, tau_syn_ex=3.0, tau_syn_in=3.0)
random = dict(t_ref=3.0, phi_max=0.15, rate_slope=0.5, beta=1.0 / 3.0, theta=-55.0)
model = "pp_cond_exp_mc_urbanczik"
port = nest.GetDefaults(model)["receptor_types"]
cells = nest.Create(model, given.neurons, params=dict(g_sp=600.0, soma=soma, dendritic=dendrite, **random))
inputs, relays = nest.Create("spike_generator", INPUTS), nest.Create("parrot_neuron", INPUTS)
teachers = nest.Create("spike_generator", 2)
nest.Connect(inputs, relays, "one_to_one")
plastic = dict(synapse_model="urbanczik_synapse", receptor_type=port["dendritic_exc"], tau_Delta=100.0, eta=0.17)
nest.Connect(relays, cells, syn_spec=plastic | dict(weight=0.3 * C, Wmin=0.0, Wmax=4.5 * C, delay=STEP))
for teacher, receptor in zip(teachers, ("soma_exc", "soma_inh")):
    nest.Connect(teacher, cells, syn_spec=dict(receptor_type=port[receptor], weight=10.0 * STEP, delay=STEP))
counter = nest.Create("spike_recorder")
nest.Connect(cells, counter)

ticks = np.round(np.arange(1, round(PERIOD / STEP) + 1) * STEP, 6)
excitation = 0.016 * C * np.sin(2 * np.pi * 2.0 / PERIOD * ticks) + 0.018 * C
inhibition = np.full_like(ticks, 0.06 * C)
walls = []
for number in range(given.patterns):
    start = number * PERIOD
    for generator, times in zip(inputs, pattern):
        generator.spike_times = np.round(np.array(times) + start, 6)
    for teacher, weights in zip(teachers, (excitation, inhibition)):
        teacher.set(spike_times=np.round(ticks + start, 6), spike_weights=weights)
    begun = time.perf_counter()
    nest.Simulate(PERIOD)
    walls.append(time.perf_counter() - begun)
weights = np.array(nest.GetConnections(relays, cells).weight)
sides.tell(
    "NEST " + nest.__version__,
    wall_s=sum(walls),
    model_s=given.patterns * PERIOD / 1e3,
    neurons=given.neurons,
    spikes=int(counter.n_events),
    threads=given.threads,
    first_s=walls[1],
    last_s=walls[-1],
    weight_pA=float(weights.mean()),
)
