#!/usr/bin/env python3
"""The network, data and steps of netlists/clapp/speech.toml in PyTorch, by automatic differentiation with gradients blocked between layers.

Replicas listen to speakers, recording after recording; layers are temporal convolutions of three frames with rectification. A layer's
prediction W_pred c(t - delta) is scored against z(t), of the same recording, and z(t - before), of another one, in the hinge loss of Illing et al.
2021, Eq. 3, whose gradient reaches both ends (W_retro tied to W_pred, CLAPP-s). Adam at 2e-4 moves the weights every 16 steps, which are
computed in one go here, with the activity of earlier steps as it was.

A linear classifier (multinomial logistic regression on standardised values, penalty 1e-3 / 2) reads each layer's mean over a recording,
before and after learning. The last line is JSON.

    pip install torch numpy
    python benches/peers/clapp_speech_torch.py --data DIR --seeds 1 2 3
"""

import argparse
import pathlib
import time

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from clapp_torch import CHANNELS, accuracy, log_mel, mel_filters
from sides import tell

KERNEL, DELTA, BEFORE, EVERY, REPLICAS = 3, 8, 60, 16, 30
# Recordings of each digit and speaker that test, numbers 0 to 14.
TEST = 15


class Split:
    """Recordings: frames, digit and speaker of each."""

    def __init__(self, rows):
        self.frames, self.digits = [row[0] for row in rows], torch.tensor([row[1] for row in rows])
        names = sorted({row[2] for row in rows})
        self.groups = [[k for k, row in enumerate(rows) if row[2] == name] for name in names]

    def steps(self):
        """Of a pass, enough for any order."""
        share = REPLICAS // len(self.groups)
        lengths = [[len(self.frames[k]) for k in group] for group in self.groups]
        return max(-(-(sum(group) + max(group) * (share - 1)) // share) for group in lengths)

    def heard(self, order):
        """Frames (replicas x steps x channels), recording of each, frames since it began, and whether it is its turn."""
        steps = self.steps()
        values = torch.zeros(REPLICAS, steps, CHANNELS)
        recording = np.zeros((REPLICAS, steps), int)
        since = np.zeros((REPLICAS, steps), int)
        first = np.ones((REPLICAS, steps), bool)
        for g, group in enumerate(self.groups):
            queue = [k for k in order if k in set(group)]
            ears, begun = list(range(g, REPLICAS, len(self.groups))), 0
            free = {ear: 0 for ear in ears}
            while min(free.values()) < steps:
                ear = min(ears, key=lambda e: free[e])
                k, at = queue[begun % len(queue)], free[ear]
                count = min(len(self.frames[k]), steps - at)
                values[ear, at : at + count] = self.frames[k][:count]
                recording[ear, at : at + count] = k
                since[ear, at : at + count] = np.arange(count)
                first[ear, at : at + count] = begun < len(queue)
                begun += 1
                free[ear] = at + count
        return values, torch.from_numpy(recording), torch.from_numpy(since), torch.from_numpy(first)


def spoken_digits(folder):
    """Both splits, channels scaled to mean 0 and standard deviation 1 of the first."""
    filters, splits = mel_filters(), [[], []]
    for path in sorted((folder / "fsdd" / "recordings").glob("*.wav")):
        digit, speaker, number = path.stem.split("_")
        splits[int(number) < TEST].append((torch.from_numpy(log_mel(path, filters)), int(digit), speaker))
    values = torch.cat([row[0] for row in splits[0]])
    mean, sd = values.mean(0), values.std(0, correction=0)
    return [Split([((x - mean) / sd, digit, speaker) for x, digit, speaker in rows]) for rows in splits]


class Layer(nn.Module):
    """W of a temporal convolution and W_pred, without biases."""

    def __init__(self, inputs, size):
        super().__init__()
        uniform = lambda bound, *shape: nn.Parameter(torch.empty(*shape).uniform_(-bound, bound))
        self.w = uniform((KERNEL * inputs) ** -0.5, size, KERNEL * inputs)
        self.pred = uniform(size**-0.5, size, size)

    def forward(self, x, count):
        """The last `count` steps' activity from inputs, replicas x steps x values."""
        taps = [x[:, x.shape[1] - count - d : x.shape[1] - d] for d in range(KERNEL)]
        return F.relu(F.linear(torch.cat(taps, 2), self.w))

    def loss(self, context, later, past, same):
        """Mean over steps and replicas of both hinges; `same` is 1 where all three belong where they should."""
        predicted = F.linear(context, self.pred)
        near, far = (later * predicted).sum(-1), (past * predicted).sum(-1)
        return ((F.relu(1 - near) + F.relu(1 + far)) * same).mean()


def evaluate(layers, splits):
    """Per cent of test recordings found by a classifier of each layer."""
    found = []
    for split in splits:
        # In files' order a recording would follow one of the same digit.
        values, recording, _, first = split.heard(np.random.default_rng(0).permutation(len(split.frames)))
        index, count = torch.where(first, recording, len(split.frames)).reshape(-1), len(split.frames) + 1
        seen = torch.zeros(count).index_add(0, index, torch.ones(len(index)))[:-1, None]
        x, each = values, []
        with torch.no_grad():
            for layer in layers:
                x = layer(F.pad(x, (0, 0, KERNEL - 1, 0)), x.shape[1])
                total = torch.zeros(count, x.shape[2]).index_add(0, index, x.reshape(-1, x.shape[2]))
                each.append(total[:-1] / seen)
        found.append(each)
    return [round(accuracy(a, splits[0].digits, b, splits[1].digits), 2) for a, b in zip(*found)]


def train(layers, split, epochs, seed, rate, above=None):
    """Learns, all layers side by side; gives the seconds that it took and the steps. `above.learn` is told the top layer's
    activity (replicas, steps, neurons) and the frames since each recording began."""
    adam = torch.optim.Adam(layers.parameters(), lr=rate)
    rng, margin = np.random.default_rng(seed), BEFORE + KERNEL
    sizes = [CHANNELS] + [layer.w.shape[0] for layer in layers]
    # Inputs of the steps so far: of each layer, the last ones.
    kept = [torch.zeros(REPLICAS, margin, size) for size in sizes]
    kept_since = torch.zeros(REPLICAS, margin, dtype=torch.long)
    seconds, steps = 0.0, 0
    for _ in range(epochs):
        values, _, since, _ = split.heard(rng.permutation(len(split.frames)))
        begun = time.perf_counter()
        for at in range(0, values.shape[1], EVERY):
            x, loss = values[:, at : at + EVERY], 0.0
            count = x.shape[1]
            kept_since = torch.cat([kept_since[:, -margin:], since[:, at : at + EVERY]], 1)
            now, then = kept_since[:, -count:], kept_since[:, -count - DELTA : -DELTA]
            # In the first steps there is nothing yet to contrast with, and nothing changes.
            contrasted = steps + at + torch.arange(count) >= BEFORE
            same = (contrasted & (now >= DELTA) & (then + DELTA < BEFORE)).float()
            for k, layer in enumerate(layers):
                kept[k] = torch.cat([kept[k][:, -margin:], x], 1)
                z = layer(kept[k], count + DELTA)
                past = layer(kept[k][:, : kept[k].shape[1] - BEFORE], count)
                loss = loss + layer.loss(z[:, :-DELTA], z[:, DELTA:], past, same)
                x = z[:, DELTA:].detach()
            if above is not None:
                above.learn(x, now)
            adam.zero_grad()
            loss.backward()
            adam.step()
        seconds, steps = seconds + time.perf_counter() - begun, steps + values.shape[1]
    return seconds, steps


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=pathlib.Path, required=True, help="folder with the data sets")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1])
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--layers", type=int, nargs="+", default=[128, 256])
    parser.add_argument("--rate", type=float, default=2e-4)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    splits, results, seconds = spoken_digits(options.data), {}, []
    for seed in options.seeds:
        torch.manual_seed(seed)
        sizes = [CHANNELS] + options.layers
        layers = nn.ModuleList([Layer(a, b) for a, b in zip(sizes, sizes[1:])])
        random = evaluate(layers, splits)
        took, steps = train(layers, splits[0], options.epochs, seed, options.rate)
        results[seed] = {"random": random, "learned": evaluate(layers, splits), "us_a_step": round(took / steps * 1e6, 1)}
        seconds.append(took)
        print(f"seed {seed}: {results[seed]}", flush=True)
    tell("torch", accuracy=results, wall_s=sum(seconds), threads=options.threads, version=torch.__version__)


if __name__ == "__main__":
    main()
