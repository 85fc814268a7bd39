#!/usr/bin/env python3
"""Backpropagation as a control for netlists/impression/dimensions.toml: Bredenberg et al. 2021, App. B.2.

The same world, network, noise and rates as the netlist, but the gradient of the negative ELBO itself (lambda = 1 always),
by the reparameterisation trick. Inference has no recurrence: r_t depends on the parameters of its own step only, and
enters the loss at t and at t + 1, so that the exact gradient needs one step of hindsight and no tape. It is non-local
(errors cross D_s and D_r backwards) and therefore not in the engine.

Trains `--realizations` networks at each of `--latents` and writes one line a dimension: the netlist's measure `final`,
mean and standard error, as x,y,se: what `apical sweep --overlay final=FILE` draws. `--curve` writes the course of learning
with the first number of latent variables instead, for `--overlay negative-elbo=FILE`.

    pip install numpy numba
    python benches/peers/impression_backprop.py --out backprop.csv
    python benches/peers/impression_backprop.py --search          # rates by decade at two latent variables
"""

import argparse
import csv
import math
import sys
import time

import numpy as np
from numba import njit, prange

S = 0.5 * math.sqrt(0.1)
SIGMA = 0.01
BLOCKS = 20                   # of learning, at the end of each of which −ELBO is measured
WINDOW = 2000                 # steps of each measurement


@njit(cache=True)
def train(n, steps, test, rate, seed):
    """−ELBO (nats a step) at the end of each block of learning with n latent variables, and over `test` steps after it."""
    np.random.seed(seed)
    m = 2 * n
    mixing = np.random.randn(m, n) / n
    w = np.random.randn(n, m) / m
    d_s = np.random.randn(m, n) / n
    d_r = np.full(n, 0.6)
    z = np.zeros(n)
    s = np.zeros(m)
    r = np.zeros(n)
    before = np.zeros(n)          # r of the step before
    mean = np.zeros(n)
    error_s = np.zeros(m)
    error_r = np.zeros(n)
    # What r of the step before still waits for: the error that it makes in the present step.
    waiting = np.zeros(n)
    waiting_slope = np.zeros(n)
    waiting_s = np.zeros(m)
    found = np.zeros(BLOCKS + 1)
    block = steps // BLOCKS
    for t in range(steps + test):
        for k in range(n):
            z[k] = (1.0 - S * S) * z[k] + S * np.random.randn()
        for i in range(m):
            x = 0.0
            for k in range(n):
                x += mixing[i, k] * z[k]
            s[i] = x + SIGMA * np.random.randn()
        for k in range(n):
            x = 0.0
            for i in range(m):
                x += w[k, i] * s[i]
            mean[k] = math.tanh(x)
            r[k] = mean[k] + SIGMA * np.random.randn()
            error_r[k] = r[k] - d_r[k] * before[k]
        for i in range(m):
            x = 0.0
            for k in range(n):
                x += d_s[i, k] * r[k]
            error_s[i] = s[i] - x
        if t >= steps or t % block >= block - WINDOW:
            loss = m * math.log(SIGMA * math.sqrt(2.0 * math.pi)) + n * math.log(S / SIGMA)
            for i in range(m):
                loss += error_s[i] ** 2 / (2.0 * SIGMA**2)
            for k in range(n):
                loss += error_r[k] ** 2 / (2.0 * S**2) - (r[k] - mean[k]) ** 2 / (2.0 * SIGMA**2)
            found[min(t // block, BLOCKS)] += loss / (test if t >= steps else WINDOW)
        if t < steps:
            # The rate has 1/σ² of the stimulus absorbed, as in the netlist; the transition weighs (σ/s)² as much.
            weight = (SIGMA / S) ** 2
            if t > 0:
                for k in range(n):
                    descent = (waiting[k] + weight * d_r[k] * error_r[k]) * waiting_slope[k]
                    for i in range(m):
                        w[k, i] += rate * descent * waiting_s[i]
            for k in range(n):
                x = 0.0
                for i in range(m):
                    x += d_s[i, k] * error_s[i]
                waiting[k] = x - weight * error_r[k]
                waiting_slope[k] = 1.0 - mean[k] ** 2
            for i in range(m):
                waiting_s[i] = s[i]
                for k in range(n):
                    d_s[i, k] += rate * error_s[i] * r[k]
            for k in range(n):
                d_r[k] += rate * error_r[k] * before[k]
        for k in range(n):
            before[k] = r[k]
    return found


@njit(parallel=True, cache=True)
def realizations(n, steps, test, rate, count):
    losses = np.zeros((count, BLOCKS + 1))
    for k in prange(count):
        losses[k] = train(n, steps, test, rate, 1 + k)
    return losses


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--latents", type=int, nargs="+", default=[2, 4, 8, 16, 32])
    options.add_argument("--realizations", type=int, default=20)
    options.add_argument("--steps", type=int, default=3_600_000)
    options.add_argument("--test", type=int, default=30_000)
    options.add_argument("--rate", type=float, default=1e-3)
    options.add_argument("--search", action="store_true", help="rates by decade, 5 realizations at the first dimension")
    options.add_argument("--curve", action="store_true", help="the course of learning with the first --latents")
    options.add_argument("--out", help="CSV file [default: standard output]")
    given = options.parse_args()

    def measured(n, rate, count):
        began = time.perf_counter()
        losses = realizations(n, given.steps, given.test, rate, count)
        mean, error = losses.mean(axis=0), losses.std(axis=0, ddof=1) / math.sqrt(count)
        seconds = time.perf_counter() - began
        print(f"{n} latents, rate {rate:g}: {mean[-1]:.2f} ± {error[-1]:.2f} ({seconds:.0f} s)", file=sys.stderr)
        return mean, error

    if given.search:
        for decade in range(2, 7):
            measured(given.latents[0], 10.0**-decade, 5)
        return
    if given.curve:
        mean, error = measured(given.latents[0], given.rate, given.realizations)
        places = [given.steps // BLOCKS * (k + 1) for k in range(BLOCKS)]
        rows = list(zip(places, mean, error))
    else:
        found = [(n, measured(n, given.rate, given.realizations)) for n in given.latents]
        rows = [(n, mean[-1], error[-1]) for n, (mean, error) in found]
    with open(given.out, "w", newline="") if given.out else sys.stdout as file:
        table = csv.writer(file)
        table.writerow(["x", "y", "se"])
        table.writerows(rows)


if __name__ == "__main__":
    main()
