#!/usr/bin/env python3
"""NEST: the circuit of benches/netlists/dopamine.toml, iaf_psc_exp neurons, stdp_dopamine_synapse, a volume_transmitter."""

import argparse
import time

import nest
import numpy as np

import sides

options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
options.add_argument("--threads", type=int, default=1)
options.add_argument("--warm-ms", type=float, default=300.0)
options.add_argument("--model-ms", type=float, default=5000.0)
options.add_argument("--static", action="store_true", help="without plasticity, to see what it costs")
given = options.parse_args()

DELAY, J, BACKGROUND, REWARDS = 1.5, 64.58, 2903.0, 50  # ms, pA, Hz
warm, model = (round(ms / DELAY) * DELAY for ms in (given.warm_ms, given.model_ms))

nest.verbosity = nest.VerbosityLevel.ERROR
nest.set(local_num_threads=given.threads, resolution=0.1, rng_seed=1)
membrane = dict(C_m=250.0, tau_m=20.0, t_ref=2.0, E_L=0.0, V_reset=0.0, V_th=20.0, tau_syn_ex=2.0, tau_syn_in=2.0)
excitatory, inhibitory = nest.Create("iaf_psc_exp", 800, params=membrane), nest.Create("iaf_psc_exp", 200, params=membrane)
everyone = excitatory + inhibitory
everyone.V_m = nest.random.uniform(0.0, 20.0)
background = nest.Create("poisson_generator", params={"rate": BACKGROUND})
source, rewards = nest.Create("poisson_generator", params={"rate": 5.0}), nest.Create("parrot_neuron", REWARDS)
volume = nest.Create("volume_transmitter", params={"deliver_interval": 1})
recorder = nest.Create("spike_recorder")
nest.Connect(background, everyone, syn_spec={"weight": J, "delay": DELAY})
nest.Connect(source, rewards, syn_spec={"delay": DELAY})
nest.Connect(rewards, volume, syn_spec={"delay": DELAY})
learning = dict(A_plus=0.01 * J, A_minus=0.01 * J, tau_plus=20.0, tau_c=1000.0, tau_n=200.0, b=REWARDS * 5.0 / 1e3)
bounds = dict(volume_transmitter=volume, Wmin=0.0, Wmax=2 * J)
nest.CopyModel("static_synapse" if given.static else "stdp_dopamine_synapse", "plastic", {} if given.static else bounds | learning)
nest.SetDefaults("plastic", {"weight": J, "delay": DELAY})


def onto(count):
    return {"rule": "fixed_indegree", "indegree": count, "allow_autapses": False}


nest.Connect(excitatory, excitatory, onto(80), {"synapse_model": "plastic"})
nest.Connect(excitatory, inhibitory, onto(80), {"weight": J, "delay": DELAY})
nest.Connect(inhibitory, everyone, onto(20), {"weight": -6.0 * J, "delay": DELAY})
nest.Connect(everyone, recorder)
nest.Prepare()
nest.Run(nest.min_delay)

nest.Run(warm)
before = recorder.n_events
begun = time.perf_counter()
nest.Run(model)
wall = time.perf_counter() - begun
nest.Cleanup()
weights = np.array(nest.GetConnections(excitatory, excitatory).weight)
sides.tell(
    "NEST " + nest.__version__,
    wall_s=wall,
    model_s=model / 1e3,
    neurons=1000,
    spikes=int(recorder.n_events - before),
    threads=given.threads,
    weight_mean=float(weights.mean() / J),
    weight_sd=float(weights.std() / J),
)
