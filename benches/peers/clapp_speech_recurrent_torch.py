#!/usr/bin/env python3
"""The network, data and steps of netlists/clapp/speech-recurrent.toml in PyTorch: two temporal convolutions as in clapp_speech_torch.py, and a
gated recurrent layer on top that learns by e-prop (Illing et al. 2021, App. C, Eqs. 18 to 21; Bellec et al. 2020).

Each of its synapses carries what the state owes to it, E <- z E + (what the step adds), which meets the learning signal of CLAPP, W_pred^T z(t + delta),
delta steps later. `--check` compares the sum of such updates with what automatic differentiation gives for the equations with blocked
gradients, and ends.

A linear classifier reads each layer in every fourth frame (`frames`) and averaged over a recording (`recordings`), before and after learning. The
last line is JSON.

    pip install torch numpy
    python benches/peers/clapp_speech_recurrent_torch.py --data DIR --seeds 1 2 3
"""

import argparse
import pathlib
from collections import deque

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from clapp_speech_torch import BEFORE, CHANNELS, EVERY, KERNEL, REPLICAS, Layer, spoken_digits, train
from clapp_torch import accuracy
from sides import tell

DELTA_3, BEAT, BIAS = 20, 4, 2.0


class Gated:
    """Eqs. 18 to 21: gates r and z, candidate n, state h; and W_pred to the layer below."""

    def __init__(self, inputs, size):
        uniform = lambda bound, *shape: torch.empty(*shape).uniform_(-bound, bound)
        self.from_below = uniform(inputs**-0.5, 3, size, inputs)
        self.from_self = uniform(size**-0.5, 3, size, size)
        self.pred = uniform(size**-0.5, inputs, size)

    def parameters(self):
        return [self.from_below, self.from_self, self.pred]

    def next(self, x, h, seen):
        """State after h, and what it was made of; the gates see `seen` instead of h."""
        a = torch.einsum("gij,rj->gri", self.from_below, x)
        b = torch.einsum("gij,rj->gri", self.from_self, seen)
        r, z = torch.sigmoid(a[0] + b[0]), torch.sigmoid(a[1] + b[1] + BIAS)
        n = torch.tanh(a[2] + r * b[2])
        return (1 - z) * n + z * h, (r, z, n, b[2])

    def states(self, x, since):
        """Of replicas x steps x inputs; a recording begins with a state of 0."""
        h, all_of_them = torch.zeros(len(x), self.pred.shape[1]), []
        for t in range(x.shape[1]):
            h = h * (since[:, t] > 0)[:, None]
            h, _ = self.next(x[:, t], h, h)
            all_of_them.append(h)
        return torch.stack(all_of_them, 1)


class Traces:
    """Eligibility traces of a gated layer, delayed by delta: three matrices of either kind for each replica."""

    def __init__(self, gated, replicas):
        _, size, inputs = gated.from_below.shape
        self.below = torch.zeros(3, replicas, size, inputs)
        self.own = torch.zeros(3, replicas, size, size)

    def take(self, x, h, made, goes_on):
        """What a step owes to each synapse; h is the state before it, `goes_on` 0 where that is a new one."""
        r, z, n, recurrent = made
        into = (1 - z) * (1 - n**2)
        post = torch.stack([into * recurrent * r * (1 - r), (h - n) * z * (1 - z), into])
        keep = (z * goes_on)[None, :, :, None]
        self.below.mul_(keep).add_(post[..., None] * x[None, :, None])
        post[2] *= r
        self.own.mul_(keep).add_(post[..., None] * h[None, :, None])

    def updates(self, signal):
        """Mean over replicas of signal times traces."""
        return [torch.einsum("ri,grij->gij", signal, traces) / len(signal) for traces in (self.below, self.own)]


class Recurrent:
    """A gated layer on its way through the recordings."""

    def __init__(self, gated, rate):
        self.gated, self.traces = gated, Traces(gated, REPLICAS)
        self.h = torch.zeros(REPLICAS, gated.pred.shape[1])
        self.adam = torch.optim.Adam(gated.parameters(), lr=rate)
        self.heard = 0
        # Steps that the traces have not taken yet; the layer below and frames since recordings began, of BEFORE steps.
        self.steps, self.below, self.since = deque(), deque(maxlen=BEFORE + 1), deque(maxlen=BEFORE + 1)
        for _ in range(BEFORE + 1):
            self.below.append(torch.zeros(REPLICAS, gated.pred.shape[0]))
            self.since.append(torch.zeros(REPLICAS, dtype=torch.long))

    def learn(self, x, since):
        """Steps (replicas x steps x inputs) that make one update."""
        gated, sums = self.gated, [torch.zeros_like(w) for w in self.gated.parameters()]
        for t in range(x.shape[1]):
            goes_on = (since[:, t] > 0).float()[:, None]
            before = self.h * goes_on
            self.h, made = gated.next(x[:, t], before, before)
            self.steps.append((x[:, t], before, made, goes_on, self.h))
            self.below.append(x[:, t])
            self.since.append(since[:, t])
            self.heard += 1
            if len(self.steps) <= DELTA_3:
                continue
            past_x, past_h, made, goes_on, context = self.steps.popleft()
            self.traces.take(past_x, past_h, made, goes_on)
            # As in `train`, nothing changes before there is something to contrast with.
            same = (self.heard > BEFORE) & (self.since[-1] >= DELTA_3) & (self.since[-1 - DELTA_3] + DELTA_3 < BEFORE)
            predicted, now, past = context @ gated.pred.T, self.below[-1], self.below[0]
            near = (same & ((now * predicted).sum(1) < 1)).float()[:, None]
            far = (same & ((past * predicted).sum(1) > -1)).float()[:, None]
            error = near * now - far * past
            for total, more in zip(sums, [*self.traces.updates(error @ gated.pred), error.T @ context / REPLICAS]):
                total += more
        for w, total in zip(gated.parameters(), sums):
            w.grad = -total / EVERY
        self.adam.step()


def evaluate(layers, gated, splits):
    """Per cent of frames and of recordings found by a classifier of each layer."""
    frames, recordings = [], []
    with torch.no_grad():
        for split in splits:
            values, recording, since, first = split.heard(np.random.default_rng(0).permutation(len(split.frames)))
            index, count = torch.where(first, recording, len(split.frames)).reshape(-1), len(split.frames) + 1
            seen = torch.zeros(count).index_add(0, index, torch.ones(len(index)))[:-1, None]
            x, each, means = values, [], []
            for layer in [*layers, gated.states]:
                x = layer(F.pad(x, (0, 0, KERNEL - 1, 0)), x.shape[1]) if isinstance(layer, Layer) else layer(x, since)
                each.append((x[:, ::BEAT].reshape(-1, x.shape[2]), split.digits[recording[:, ::BEAT].reshape(-1)]))
                total = torch.zeros(count, x.shape[2]).index_add(0, index, x.reshape(-1, x.shape[2]))
                means.append((total[:-1] / seen, split.digits))
            frames.append(each)
            recordings.append(means)
    found = lambda kinds: [round(accuracy(*a, *b), 2) for a, b in zip(*kinds)]
    return {"frames": found(frames), "recordings": found(recordings)}


def check():
    """Updates by traces against those by automatic differentiation of the equations with blocked gradients."""
    torch.manual_seed(1)
    torch.set_default_dtype(torch.float64)
    gated, steps = Gated(6, 5), 30
    x, signal = torch.randn(4, steps, 6), torch.randn(4, 5)
    traces, h = Traces(gated, 4), torch.zeros(4, 5)
    goes_on = (torch.rand(4, steps, 1) > 0.1).double()
    for t in range(steps):
        before = h * goes_on[:, t]
        h, made = gated.next(x[:, t], before, before)
        traces.take(x[:, t], before, made, goes_on[:, t])
    weights = gated.parameters()[:2]
    for w in weights:
        w.requires_grad_()
    h = torch.zeros(4, 5)
    for t in range(steps):
        h = h * goes_on[:, t]
        h, _ = gated.next(x[:, t], h, h.detach())
    ((h * signal).sum() / 4).backward()
    for w, found in zip(weights, traces.updates(signal)):
        worst = ((found - w.grad).abs().max() / w.grad.abs().max()).item()
        print(f"largest difference: {worst:.1e} of the largest update")
        assert worst < 1e-12


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=pathlib.Path, help="folder with the data sets")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1])
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--cells", type=int, default=128)
    parser.add_argument("--rate", type=float, default=2e-4)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    if options.check:
        return check()
    splits, results, seconds = spoken_digits(options.data), {}, []
    for seed in options.seeds:
        torch.manual_seed(seed)
        layers, gated = nn.ModuleList([Layer(CHANNELS, 128), Layer(128, 128)]), Gated(128, options.cells)
        random = evaluate(layers, gated, splits)
        recurrent = Recurrent(gated, options.rate)
        took, steps = train(layers, splits[0], options.epochs, seed, options.rate, above=recurrent)
        results[seed] = {"random": random, "learned": evaluate(layers, gated, splits), "us_a_step": round(took / steps * 1e6, 1)}
        seconds.append(took)
        print(f"seed {seed}: {results[seed]}", flush=True)
    tell("torch", accuracy=results, wall_s=sum(seconds), threads=options.threads, version=torch.__version__)


if __name__ == "__main__":
    main()
