#!/usr/bin/env python3
"""Impression learning on artificial stimuli in plain NumPy (float64).

Source: Bredenberg, Lyo, Simoncelli and Savin 2021, Eqs. 6 to 18; sizes and constants of its
artificial-stimulus task. Workload of one step: the latent process z, both matrix-vector products
(W s and D_s r), both tanh, 260 Gaussian deviates (20 for z, and one per neuron for the basal and
the apical compartment of both layers, used or gated out), and the rank-1 update that the gate
selects. The gate holds inference (lambda = 1) for two steps, then generation (lambda = 0) for two.

Prints one JSON line: microseconds per training step, mean R2 of the stimulus prediction in
inference mode, and autocorrelations of the data latents and of r in both modes.
Run it on one thread, for instance with OPENBLAS_NUM_THREADS=1.
"""

import argparse
import json
import math
import time

import numpy as np

SD_LATENT = 0.5 * math.sqrt(0.1)  # of the data, and of r in generation
DECAY = 1.0 - SD_LATENT**2  # diagonal of Lambda
SD_PREDICTED = 0.01  # of the stimulus in generation
SD_INFERENCE = 0.003  # of s and r in inference; 0.01 in the published code
ETA = 1e-3  # absorbs the factors 1 / sigma^2
PHASE = 2  # steps between two switches of the gate
LAGS = (1, 10, 40, 80)

PREDICTIONS = {  # activation of the stimulus prediction, and its derivative given its value
    "tanh": (np.tanh, lambda value: 1.0 - value * value),
    "linear": (lambda drive: drive, lambda value: 1.0),
}


class Network:
    """Weights of the circuit, the latent state z of its world and the activity r."""

    def __init__(self, n_s, n_r, prediction, rng):
        self.n_s, self.n_r, self.rng = n_s, n_r, rng
        self.f, self.f_prime = PREDICTIONS[prediction]
        self.A = rng.normal(0.0, 1.0 / n_r, (n_s, n_r))
        self.W = rng.normal(0.0, 1.0 / n_s, (n_r, n_s))
        self.D_s = rng.normal(0.0, 1.0 / n_r, (n_s, n_r))
        self.D_r = np.full(n_r, 0.6)
        self.z = np.zeros(n_r)
        self.r = np.zeros(n_r)

    def draw(self, steps):
        """Deviates of a block: z, then basal and apical of the stimulus and latent layers."""
        sizes = (self.n_r, self.n_s, self.n_s, self.n_r, self.n_r)
        sds = (SD_LATENT, SD_INFERENCE, SD_PREDICTED, SD_INFERENCE, SD_LATENT)
        if steps == 1:
            normal = self.rng.normal
            return [[normal(0.0, sd, n)] for sd, n in zip(sds, sizes)]
        noise = self.rng.standard_normal((steps, sum(sizes))) * np.repeat(sds, sizes)
        return np.split(noise, np.cumsum(sizes)[:-1], axis=1)

    def train(self, steps, block):
        A, W, D_s, D_r, f, f_prime = self.A, self.W, self.D_s, self.D_r, self.f, self.f_prime
        z, r = self.z, self.r
        for start in range(0, steps, block):
            n = min(block, steps - start)
            noise_z, s_inf, s_gen, r_inf, r_gen = self.draw(n)
            for t in range(n):
                z = DECAY * z + noise_z[t]
                s_mean = A @ z
                phase = (start + t) % (2 * PHASE)
                if phase < PHASE:  # lambda = 1: learn the generative weights
                    s = s_mean + s_inf[t]
                    r_prev = r
                    r = np.tanh(W @ s) + r_inf[t]
                    predicted = f(D_s @ r)
                    D_s += np.outer(ETA * (s - predicted) * f_prime(predicted), r)
                    if phase != 0:  # k = 1 just after a switch
                        D_r += ETA * (r - D_r * r_prev) * r_prev
                else:  # lambda = 0: learn the inference weights
                    r = D_r * r + r_gen[t]
                    s = f(D_s @ r) + s_gen[t]
                    inferred = np.tanh(W @ s)
                    W += np.outer(ETA * (r - inferred) * (1.0 - inferred * inferred), s)
        self.z, self.r = z, r

    def world(self, steps):
        """Latents of `steps` more steps, shape (steps, n_r)."""
        noise = SD_LATENT * self.rng.standard_normal((steps, self.n_r))
        z = np.empty_like(noise)
        for t in range(steps):
            self.z = z[t] = DECAY * self.z + noise[t]
        return z

    def infer(self, z):
        """Activity r with lambda = 1 throughout; it depends on the stimulus of the step alone."""
        s = z @ self.A.T + SD_INFERENCE * self.rng.standard_normal((len(z), self.n_s))
        return np.tanh(s @ self.W.T) + SD_INFERENCE * self.rng.standard_normal((len(z), self.n_r))

    def generate(self, steps):
        """Activity r with lambda = 0 throughout."""
        r = SD_LATENT * self.rng.standard_normal((steps, self.n_r))
        r[0] += self.D_r * self.r
        for t in range(1, steps):
            r[t] += self.D_r * r[t - 1]
        return r


def r2(true, predicted):
    """Share of the variance explained, averaged over columns."""
    residual = np.sum((true - predicted) ** 2, axis=0)
    return float(np.mean(1.0 - residual / np.sum((true - true.mean(axis=0)) ** 2, axis=0)))


def autocorrelation(x):
    """Autocorrelation at LAGS, averaged over columns."""
    x = x - x.mean(axis=0)
    variance = np.sum(x * x, axis=0)
    return [float(np.mean(np.sum(x[lag:] * x[:-lag], axis=0) / variance)) for lag in LAGS]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=2_000_000, help="training steps")
    parser.add_argument("--test-steps", type=int, default=30_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--size", type=int, default=100, help="stimuli; a fifth as many latents")
    parser.add_argument("--block", type=int, default=1, help="steps whose deviates are drawn in one call")
    parser.add_argument("--stimulus-prediction", choices=list(PREDICTIONS), default="tanh")
    args = parser.parse_args()
    if args.size < 5 or args.steps < 1 or args.test_steps <= LAGS[-1]:
        parser.error(f"--size 5 or more, --steps 1 or more, --test-steps more than {LAGS[-1]}")

    rng = np.random.default_rng(args.seed)
    network = Network(args.size, args.size // 5, args.stimulus_prediction, rng)
    begin = time.perf_counter()
    network.train(args.steps, max(args.block, 1))
    seconds = time.perf_counter() - begin

    z = network.world(args.test_steps)
    r = network.infer(z)
    print(
        json.dumps(
            {
                "steps": args.steps,
                "seed": args.seed,
                "size": args.size,
                "block": args.block,
                "stimulus_prediction": args.stimulus_prediction,
                "us_per_step": round(1e6 * seconds / args.steps, 3),
                "r2": r2(z @ network.A.T, network.f(r @ network.D_s.T)),
                "lags": LAGS,
                "acf_data": autocorrelation(z),
                "acf_inference": autocorrelation(r),
                "acf_generation": autocorrelation(network.generate(args.test_steps)),
                "D_r": [float(network.D_r.min()), float(network.D_r.mean()), float(network.D_r.max())],
            }
        )
    )


if __name__ == "__main__":
    main()
