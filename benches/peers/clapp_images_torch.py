#!/usr/bin/env python3
"""The network, data and steps of netlists/clapp/images.toml in PyTorch, by automatic differentiation with gradients blocked between layers.

Replicas look at pictures of CIFAR-10, patch after patch, column by column; with probability 1/2 a move is a saccade to another picture.
Colours are standardised, then lose their local mean and contrast. Layers are convolutions of 3 x 3 with rectification; `p` after a width adds
2 x 2 max-pooling. Each layer's code is the mean over its maps. The score of a move is u = z W_pred c, of the codes now and one glance before, and
the loss the hinge of Illing et al. 2021, Eq. 3. The gradient reaches both ends (W_retro tied to W_pred), or only z (`--retro none`).
`--synchronous` scores each move on the picture against the same move to another replica's picture, both at once (CLAPP-s, images-s.toml, where
the other one is the replica's own memory). `--above` takes the context from the layer above (from-above.toml). `--no-prediction` leaves out the
term of Eq. 6, `--no-modulator` the surprise: every move changes weights. Adam moves the weights once a visit, of all its glances.

A linear classifier (multinomial logistic regression on standardised values, penalty 1e-3 / 2) reads each layer's code, averaged over the patches
of a picture, before and after learning. The last line is JSON.

    pip install torch numpy
    python benches/peers/clapp_images_torch.py --data DIR --seeds 1 2 3 --epochs 3
"""

import argparse
import pathlib
import time

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from clapp_torch import accuracy, cifar
from sides import tell

REPLICAS, PATCH, STRIDE, SIGMA = 32, 16, 8, 2.0
# Pictures that the classifiers learn from.
READ = 10_000
GRID = (32 - PATCH) // STRIDE + 1
# Moves down the columns, by the number of the patch that is left.
MOVES = [place for place in range(GRID * GRID) if (place + 1) % GRID]
LATER = [place + 1 for place in MOVES]


def local_contrast(x, sigma):
    """Takes local means out of each channel and divides by the local standard deviation, at least its mean over the image."""
    reach = int(np.ceil(2 * sigma))
    line = torch.exp(-0.5 * (torch.arange(-reach, reach + 1) / sigma) ** 2)

    def blur(maps):
        for kernel in (line[:, None], line[None, :]):
            pad = [k // 2 for k in kernel.shape]
            total = F.conv2d(torch.ones_like(maps[:1, :1]), kernel[None, None], padding=pad)
            maps = F.conv2d(maps.flatten(0, 1)[:, None], kernel[None, None], padding=pad).reshape(maps.shape) / total
        return maps

    x = x - blur(x)
    deviation = blur((x**2).mean(1, keepdim=True)).sqrt()
    return x / torch.maximum(deviation, deviation.mean((1, 2, 3), keepdim=True)).clamp(min=1e-30)


def pictures(folder, sigma):
    """Pictures and classes for learning and for testing."""
    batches = [cifar(folder / "cifar10" / f"{name}.bin") for name in ("data_batch_1", "data_batch_2", "test_batch")]
    x = torch.cat([batches[0][0], batches[1][0]]).float()
    mean, sd = x.mean((0, 2, 3), keepdim=True), x.std((0, 2, 3), keepdim=True, correction=0)
    prepare = lambda x: torch.cat([local_contrast((part - mean) / sd, sigma) if sigma else (part - mean) / sd for part in x.float().split(500)])
    return (prepare(x), torch.cat([batches[0][1], batches[1][1]])), (prepare(batches[2][0]), batches[2][1])


class Layer(nn.Module):
    """W of a convolution and W_pred, without biases."""

    def __init__(self, inputs, width, above, options):
        super().__init__()
        size, self.pool = int(width.rstrip("p")), width.endswith("p")
        bound = options.gain * (9 * inputs) ** -0.5
        self.w = nn.Parameter(torch.empty(size, inputs, 3, 3).uniform_(-bound, bound))
        self.pred = nn.Parameter(torch.randn(size, above or size) * options.predict)

    def forward(self, x):
        x = F.relu(F.conv2d(x, self.w, padding=1))
        return F.max_pool2d(x, 2) if self.pool else x


def patches(x):
    """All patches: pictures x grid places x channels x rows x columns."""
    cut = x.unfold(2, PATCH, STRIDE).unfold(3, PATCH, STRIDE).permute(0, 2, 3, 1, 4, 5)
    return cut.reshape(len(x), GRID * GRID, x.shape[1], PATCH, PATCH)


def evaluate(layers, splits):
    """Per cent of test pictures found by a classifier of each layer."""
    (learned, classes), test = splits
    splits = (learned[:READ], classes[:READ]), test
    found = []
    for x, _ in splits:
        each = [[] for _ in layers]
        with torch.no_grad():
            for part in x.split(100):
                z = patches(part).flatten(0, 1)
                for layer, codes in zip(layers, each):
                    z = layer(z)
                    codes.append(z.mean((2, 3)).reshape(len(part), GRID * GRID, -1).mean(1))
        found.append([torch.cat(codes) for codes in each])
    return [round(accuracy(a, splits[0][1], b, splits[1][1]), 2) for a, b in zip(*found)]


def visit(x, index, saccade):
    """The patches that replicas see in a visit (replicas x places), and y of each move down a column (replicas x moves)."""
    shown = index[:, None].repeat(1, GRID * GRID)
    jumps = torch.rand(len(index), GRID * GRID - 1) < saccade
    other = torch.randint(len(x) - 1, jumps.shape)
    for move in range(GRID * GRID - 1) if saccade else []:
        now = shown[:, move]
        shown[:, move + 1] = torch.where(jumps[:, move], other[:, move] + (other[:, move] >= now).long(), now)
    place = torch.arange(GRID * GRID)
    cut = x.unfold(2, PATCH, 1).unfold(3, PATCH, 1)
    return cut[shown, :, place % GRID * STRIDE, place // GRID * STRIDE], torch.where(jumps, -1.0, 1.0)[:, MOVES]


def hinge(later, context, pred, y, options):
    """The loss of moves with the gradients of Eqs. 6 to 8, and the share of those that surprise."""
    to_later = F.linear(context.detach(), pred)
    u = (later * to_later).sum(-1)
    surprised = torch.ones_like(u) if options.no_modulator else (1 - y * u.detach() > 0).float()
    through = (later.detach() * to_later).sum(-1) if options.no_prediction else u
    if options.retro != "none":
        through = through + (context * F.linear(later.detach(), pred.detach().T)).sum(-1)
    return -(surprised * y * through).mean(), float(surprised.mean())


def train(layers, split, options, seed, report):
    """Learns; gives the seconds that it took and the visits."""
    preds = [layer.pred for layer in layers]
    others = [layer.w for layer in layers]
    adam = torch.optim.Adam([{"params": others, "lr": options.rate}, {"params": preds, "lr": options.pred_rate}])
    seconds, visits, surprise = 0.0, 0, np.zeros(len(layers))
    for epoch in range(1, options.epochs + 1):
        for index in torch.randperm(len(split[0])).split(REPLICAS):
            begun = time.perf_counter()
            seen, y = visit(split[0], index, 0.0 if options.synchronous else 0.5)
            x, codes, loss = seen.flatten(0, 1), [], 0.0
            for layer in layers:
                x = layer(x.detach())
                codes.append(x.mean((2, 3)).reshape(len(index), GRID * GRID, -1))
            for k, (layer, z) in enumerate(zip(layers, codes)):
                context = (codes[k + 1] if options.above and k + 1 < len(layers) else z)[:, MOVES]
                signs = [(z[:, LATER], y)]
                if options.synchronous:
                    signs.append((z.roll(1, 0)[:, LATER], -y))
                for later, sign in signs:
                    part, share = hinge(later, context, layer.pred, sign, options)
                    loss, surprise[k] = loss + part, surprise[k] + share / len(signs)
            adam.zero_grad()
            loss.backward()
            adam.step()
            seconds, visits = seconds + time.perf_counter() - begun, visits + 1
        if report and (epoch % report == 0 or epoch == options.epochs):
            shares = [round(float(s), 3) for s in surprise / (report * len(split[0]) / REPLICAS)]
            print(f"seed {seed}, epoch {epoch}, {seconds:.0f} s: {evaluate(layers, options.splits)}, surprise {shares}", flush=True)
            surprise[:] = 0
    return seconds, visits


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=pathlib.Path, required=True, help="folder with the data sets")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1])
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--report", type=int, default=0, help="epochs between read-outs on the way")
    parser.add_argument("--layers", nargs="+", default=["32p", "64p", "128", "128"])
    parser.add_argument("--rate", type=float, default=2e-4, help="of Adam, for W")
    parser.add_argument("--pred-rate", type=float, default=1e-3, help="of Adam, for W_pred")
    parser.add_argument("--predict", type=float, default=0.01, help="standard deviation of the first W_pred")
    parser.add_argument("--gain", type=float, default=3**0.5, help="bound of the first W, times 1 / sqrt(inputs)")
    parser.add_argument("--sigma", type=float, default=SIGMA, help="of local contrasts (pixels); 0 leaves pictures as they are")
    parser.add_argument("--retro", choices=["tied", "none"], default="tied")
    for flag in ("--synchronous", "--above", "--no-prediction", "--no-modulator"):
        parser.add_argument(flag, action="store_true")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    splits, results, total = pictures(options.data, options.sigma), {}, 0.0
    options.splits = splits
    for seed in options.seeds:
        torch.manual_seed(seed)
        np.random.seed(seed)
        sizes = [int(width.rstrip("p")) for width in options.layers]
        above = sizes[1:] + [None] if options.above else [None] * len(sizes)
        layers = nn.ModuleList([Layer(a, b, up, options) for a, b, up in zip([3] + sizes, options.layers, above)])
        random = evaluate(layers, splits)
        print(f"seed {seed}, random: {random}", flush=True)
        took, visits = train(layers, splits[0], options, seed, options.report)
        results[seed] = {"random": random, "learned": evaluate(layers, splits), "us_a_step": round(took / visits / GRID**2 * 1e6, 1)}
        total += took
        print(f"seed {seed}: {results[seed]}", flush=True)
    tell("torch", accuracy=results, wall_s=total, threads=options.threads, version=torch.__version__)


if __name__ == "__main__":
    main()
