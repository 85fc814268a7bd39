#!/usr/bin/env python3
"""Reward-modulated Hebbian learning of an angle in plain NumPy (float64).

Source: Bredenberg, Simoncelli and Savin 2020, Eqs. 1, 2, 10 and 11, with the constants of the published code's
estimation task, as in netlists/reward/estimation.toml. Workload of one step: the walk of the stimulus, its encoding by
12 units, the noisy step of 40 recurrent neurons, the readout and its reward, running averages of co-activity, and the
updates of W, C, b and D. Arrays are made once and written in place; noise is drawn in blocks of 1,000 steps.

Prints one JSON line: microseconds per training step and the mean squared error of each trial.
Run it on one thread, for instance with OPENBLAS_NUM_THREADS=1.
"""

import argparse
import json
import math
import time

import numpy as np

DT, TRIAL, TRANSIENT, BLOCK = 0.01, 100_000, 4_000, 1_000
SIGMA, KAPPA, WALK, GAIN = 0.2, 0.75, 0.06, 30.0
SHARE = DT * 3 / 20  # of the running averages
ETA = 5e-6  # 100 · 5e-6 · dt
L2_W, L2_C, L2_B, L2_D = 0.5 / 25**2, 3 / 25**2, 3 / 25**2, 0.5 / 25**2


class Network:
    """Weights of the circuit."""

    def __init__(self, n, rng):
        self.n, self.rng = n, rng
        self.W = rng.uniform(-0.3 / math.sqrt(n), 0.3 / math.sqrt(n), (n, n))
        self.C = rng.uniform(-0.5 / math.sqrt(12), 0.5 / math.sqrt(12), (n, 12))
        self.D = rng.uniform(-1 / n, 1 / n, (2, n))
        self.b = np.zeros(n)
        angles = -math.pi + np.arange(12) * (2 * math.pi / 12)
        self.encoding = np.stack([np.cos(angles), np.sin(angles)], axis=1)

    def trial(self, steps):
        """Runs a trial with learning; returns the mean squared error."""
        n, rng = self.n, self.rng
        W, C, D, b = self.W, self.C, self.D, self.b
        r, theta = np.full(n, 0.1), rng.vonmises(0.0, KAPPA)
        mean_rr, mean_rs, mean_r = np.zeros((n, n)), np.zeros((n, 12)), np.zeros(n)
        rr, rs, drift = np.zeros((n, n)), np.zeros((n, 12)), np.zeros(n)
        total = 0.0
        for step in range(steps):
            at = step % BLOCK
            if at == 0:
                noise = rng.standard_normal((BLOCK, n)) * (SIGMA * math.sqrt(DT))
                jumps = rng.standard_normal(BLOCK) * (WALK * math.sqrt(DT))
            target = np.array((math.cos(theta), math.sin(theta)))
            s = self.encoding @ target
            np.maximum(s, 0.0, out=s)
            error = target - D @ r
            reward = -(error @ error)
            total -= reward
            np.outer(r, r, out=rr)
            np.outer(r, s, out=rs)
            mean_rr += SHARE * (rr - mean_rr)
            mean_rs += SHARE * (rs - mean_rs)
            mean_r += SHARE * (r - mean_r)
            # The leak is f⁻¹(r) = ln(e^(30 r) − 1)/30, without overflow.
            np.matmul(W, r, out=drift)
            drift += C @ s
            drift += b
            drift -= r + np.log(-np.expm1(-GAIN * r)) / GAIN
            if step >= TRANSIENT:
                W += ETA * (reward * (rr - mean_rr) - L2_W * W)
                C += ETA * (reward * (rs - mean_rs) - L2_C * C)
                b += ETA * (reward * (r - mean_r) - L2_B * b)
                D += ETA * (np.outer(error, r) - L2_D * D)
            drift *= DT
            r += drift
            r += noise[at]
            np.clip(r, 0.001, 100.0, out=r)
            theta += jumps[at] - KAPPA * math.sin(theta) * WALK**2 * DT
        return total / steps


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    network = Network(40, np.random.default_rng(args.seed))
    errors, start, left = [], time.perf_counter(), args.steps
    while left > 0:
        errors.append(network.trial(min(left, TRIAL)))
        left -= TRIAL
    seconds = time.perf_counter() - start
    print(json.dumps({"us_per_step": 1e6 * seconds / args.steps, "error": errors}))


if __name__ == "__main__":
    main()
