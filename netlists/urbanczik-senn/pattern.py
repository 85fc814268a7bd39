#!/usr/bin/env python3
"""Writes pattern.csv: Poisson spikes of 200 neurons at 10 Hz in 200 ms, frozen by a seed."""

import random

NEURONS, RATE_HZ, LENGTH_MS, SEED = 200, 10.0, 200.0, 1

draw = random.Random(SEED)
with open("pattern.csv", "w") as file:
    file.write("neuron,time\n")
    for neuron in range(NEURONS):
        time = draw.expovariate(RATE_HZ / 1000)
        while time < LENGTH_MS:
            file.write(f"{neuron},{time:.3f}\n")
            time += draw.expovariate(RATE_HZ / 1000)
