#!/usr/bin/env python3
"""The network, data and steps of netlists/clapp/images.toml in PyTorch, by automatic differentiation with gradients blocked between layers.

Replicas look at pictures of CIFAR-10, patch after patch, column by column; with probability 1/2 a move is a saccade to another picture.
Colours are standardised, then lose their local mean and contrast. Layers are convolutions of 3 x 3 with rectification; `p` after a width adds
2 x 2 max-pooling, `t` three glances in a row instead of one. Each layer's code is the mean over its maps. The score of a move is u = z W_pred c, of
the codes now and one glance before, and the loss the hinge of Illing et al. 2021, Eq. 3. The gradient reaches both ends (W_retro tied to W_pred), or
only z (`--retro none`). `--synchronous` scores each move on the picture against the same move to the picture that the replica saw before, both at once
(CLAPP-s, images-s.toml): codes of the visit before, as the layer remembers them, and the gradient through what made them. `--above` takes the context from the layer above (from-above.toml); the last layer's
own context then does not learn. `--no-prediction` leaves out the term of Eq. 6, `--no-modulator` the surprise: every move changes weights. Adam moves
the weights once a visit, of all its glances.

With `--weights runs/clapp-images` seed N begins with the first weights of the run in runs/clapp-images-N, so that it is the same network; pictures,
patches and saccades are drawn anew.

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

PATCH, STRIDE, SIGMA = 16, 8, 2.0
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


def initial(folder, name):
    """The first weights of a projection in a run directory, one row a postsynaptic neuron."""
    return torch.from_numpy(np.load(folder / "weights" / f"weights-{name}.npy")[0].T.copy()).float()


class Layer(nn.Module):
    """W of a convolution and W_pred, without biases."""

    def __init__(self, inputs, width, above, options):
        super().__init__()
        self.size, self.pool, self.glances = size_of(width), "p" in width, 3 if "t" in width else 1
        bound = options.gain * (9 * inputs * self.glances) ** -0.5
        self.w = nn.Parameter(torch.empty(self.size, inputs * self.glances, 3, 3).uniform_(-bound, bound))
        self.pred = nn.Parameter(torch.randn(self.size, above or self.size) * options.predict)

    def begin_with(self, folder, number):
        """Takes the first weights of layer `number` of a run of Apical."""
        names = [f"W-{number}"] if self.glances == 1 else [f"W-{number}-{delay}" for delay in range(self.glances)]
        parts = [initial(folder, name).reshape(self.size, -1, 3, 3) for name in names]
        self.w.data.copy_(torch.cat(parts, 1))
        self.pred.data.copy_(initial(folder, f"pred-{number}"))

    def forward(self, x, w=None):
        """What replicas x glances x channels x rows x columns give; of three glances the first two are lost. `w` stands for W."""
        if self.glances > 1:
            last = x.shape[1]
            x = torch.cat([x[:, self.glances - 1 - delay : last - delay] for delay in range(self.glances)], 2)
        z = F.relu(F.conv2d(x.flatten(0, 1), self.w if w is None else w, padding=1))
        z = F.max_pool2d(z, 2) if self.pool else z
        return z.unflatten(0, x.shape[:2])


def size_of(width):
    """Maps of a layer, of `64p` or `64t`."""
    return int(width.rstrip("pt"))


def evaluate(task, layers):
    """Per cent of test pictures (or films) found by a classifier of each layer."""
    found = []
    for split, (x, _) in zip(("train", "test"), task.read):
        each = [[] for _ in layers]
        with torch.no_grad():
            for part in task.look(split, len(x)).split(25):
                z = task.whole(x, part)
                for layer, codes in zip(layers, each):
                    z = layer(z)
                    codes.append(z.mean((3, 4)))
                # Glances that all layers have seen.
                common = each[-1][-1].shape[1]
                for codes in each:
                    codes[-1] = codes[-1][:, -common:].mean(1)
        found.append([torch.cat(codes) for codes in each])
    (_, classes), (_, test_classes) = task.read
    return [round(accuracy(a, classes, b, test_classes), 2) for a, b in zip(*found)]


class Task:
    """Pictures or films in random order."""

    def begin(self, seed):
        """Begins a run."""

    def look(self, split, count):
        """Numbers of all pictures of a split, "train" or "test", to be read."""
        return torch.arange(count)

    def passes(self, epochs):
        """The numbers of the pictures to learn from, in their order; epoch after epoch."""
        return (torch.randperm(len(self.learned)) for _ in range(epochs))


class Pictures(Task):
    """Patches of pictures, visited down the columns."""

    steps = GRID**2

    def __init__(self, options):
        self.options = options
        (self.learned, classes), test = pictures(options.data, options.sigma)
        self.read = (self.learned[:READ], classes[:READ]), test
        self.inputs = self.learned.shape[1]

    def whole(self, x, index):
        """All patches of pictures: pictures x grid places x channels x rows x columns."""
        cut = x[index].unfold(2, PATCH, STRIDE).unfold(3, PATCH, STRIDE).permute(0, 3, 2, 1, 4, 5)
        return cut.flatten(1, 2)

    def visit(self, index):
        """The patches that replicas see in a visit, and y of each move down a column (replicas x moves)."""
        x, saccade = self.learned, 0.0 if self.options.synchronous else 0.5
        shown = index[:, None].repeat(1, GRID * GRID)
        jumps = torch.rand(len(index), GRID * GRID - 1) < saccade
        other = torch.randint(len(x) - 1, jumps.shape)
        for move in range(GRID * GRID - 1) if saccade else []:
            now = shown[:, move]
            shown[:, move + 1] = torch.where(jumps[:, move], other[:, move] + (other[:, move] >= now).long(), now)
        place = torch.arange(GRID * GRID)
        cut = x.unfold(2, PATCH, 1).unfold(3, PATCH, 1)
        return cut[shown, :, place % GRID * STRIDE, place // GRID * STRIDE], torch.where(jumps, -1.0, 1.0)[:, MOVES]

    def moves(self, codes, before, k, y):
        """What layer k is scored on: codes after moves, their contexts, and y; with another visit's codes as contrast."""
        z, last = codes[k], k + 1 == len(codes)
        context = (z.detach() if last else codes[k + 1]) if self.options.above else z
        found = [(z[:, LATER], context[:, MOVES], y)]
        if before:
            found.append((before[k][:, LATER], context[:, MOVES], -y))
        return found


def hinge(later, context, pred, y, options):
    """The loss of moves with the gradients of Eqs. 6 to 8, and the share of those that surprise."""
    to_later = F.linear(context.detach(), pred)
    u = (later * to_later).sum(-1)
    surprised = torch.ones_like(u) if options.no_modulator else (1 - y * u.detach() > 0).float()
    through = (later.detach() * to_later).sum(-1) if options.no_prediction else u
    if options.retro != "none":
        through = through + (context * F.linear(later.detach(), pred.detach().T)).sum(-1)
    return -(surprised * y * through).mean(), float(surprised.mean())


def train(task, layers, options, seed):
    """Learns; gives the seconds that it took and the visits."""
    preds, others = [layer.pred for layer in layers], [layer.w for layer in layers]
    adam = torch.optim.Adam([{"params": others, "lr": options.rate}, {"params": preds, "lr": options.pred_rate}])
    seconds, visits, surprise = 0.0, 0, np.zeros(len(layers))
    # Codes of the visit before and the weights that made them, a copy: Adam has changed the layers since.
    before, made = [], []
    for epoch, order in enumerate(task.passes(options.epochs), 1):
        for index in order.split(options.replicas):
            begun = time.perf_counter()
            (x, y), codes, loss = task.visit(index), [], 0.0
            making = [layer.w.detach().clone().requires_grad_() if options.synchronous else layer.w for layer in layers]
            for layer, w in zip(layers, making):
                x = layer(x.detach(), w)
                codes.append(x.mean((3, 4)))
            for k, layer in enumerate(layers):
                moves = task.moves(codes, before, k, y)
                for later, context, sign in moves:
                    part, share = hinge(later, context, layer.pred, sign, options)
                    loss, surprise[k] = loss + part, surprise[k] + share / len(moves)
            adam.zero_grad()
            for w in made:
                w.grad = None
            # A first visit, without one before to contrast it with, changes no weights.
            loss = loss if before or not options.synchronous else 0 * loss
            loss.backward(retain_graph=options.synchronous)
            if options.synchronous:
                for k, layer in enumerate(layers):
                    layer.w.grad = making[k].grad + (made[k].grad if before else 0)
                before, made = codes, making
            adam.step()
            seconds, visits = seconds + time.perf_counter() - begun, visits + 1
        report = options.report
        if report and (epoch % report == 0 or epoch == options.epochs):
            shares = [round(float(s), 3) for s in surprise / (report * len(task.learned) / options.replicas)]
            print(f"seed {seed}, epoch {epoch}, {seconds:.0f} s: {evaluate(task, layers)}, surprise {shares}", flush=True)
            surprise[:] = 0
    return seconds, visits


def arguments(description, epochs, replicas, layers):
    """The options that pictures and films share, with their defaults."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=pathlib.Path, required=True, help="folder with the data sets")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1])
    parser.add_argument("--draw", type=int, default=0, help="another number, another order of pictures [%(default)s]")
    parser.add_argument("--perturb", type=float, default=0.0, help="part by which first weights differ, at random, from what they would be [%(default)s]")
    parser.add_argument("--weights", help="seed N begins with the first weights of the run in this folder's name and -N")
    parser.add_argument("--epochs", type=int, default=epochs)
    parser.add_argument("--replicas", type=int, default=replicas)
    parser.add_argument("--report", type=int, default=0, help="epochs between read-outs on the way")
    parser.add_argument("--layers", nargs="+", default=layers)
    parser.add_argument("--rate", type=float, default=2e-4, help="of Adam, for W")
    parser.add_argument("--pred-rate", type=float, default=1e-3, help="of Adam, for W_pred")
    parser.add_argument("--predict", type=float, default=0.01, help="standard deviation of the first W_pred")
    parser.add_argument("--gain", type=float, default=3**0.5, help="bound of the first W, times 1 / sqrt(inputs)")
    parser.add_argument("--sigma", type=float, default=SIGMA, help="of local contrasts (pixels); 0 leaves pictures as they are")
    parser.add_argument("--retro", choices=["tied", "none"], default="tied")
    for flag in ("--no-prediction", "--no-modulator"):
        parser.add_argument(flag, action="store_true")
    parser.add_argument("--threads", type=int, default=2)
    return parser


def run(task, options):
    """Learns with each seed, and tells what was found before and after."""
    results, total = {}, 0.0
    for seed in options.seeds:
        torch.manual_seed(seed + 1_000 * options.draw)
        task.begin(seed)
        sizes = [size_of(width) for width in options.layers]
        above = sizes[1:] + [None] if getattr(options, "above", False) else [None] * len(sizes)
        layers = nn.ModuleList([Layer(a, b, up, options) for a, b, up in zip([task.inputs] + sizes, options.layers, above)])
        if options.weights:
            for number, layer in enumerate(layers, 1):
                layer.begin_with(pathlib.Path(f"{options.weights}-{seed}"), number)
        for weights in layers.parameters() if options.perturb else []:
            weights.data *= 1 + options.perturb * torch.randn_like(weights)
        random = evaluate(task, layers)
        print(f"seed {seed}, random: {random}", flush=True)
        took, visits = train(task, layers, options, seed)
        results[seed] = {"random": random, "learned": evaluate(task, layers), "us_a_step": round(took / max(visits, 1) / task.steps * 1e6, 1)}
        total += took
        print(f"seed {seed}: {results[seed]}", flush=True)
    tell("torch", accuracy=results, wall_s=total, threads=options.threads, version=torch.__version__)


def main():
    parser = arguments(__doc__, 3, 32, ["32p", "64p", "128", "128"])
    for flag in ("--synchronous", "--above"):
        parser.add_argument(flag, action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    run(Pictures(options), options)


if __name__ == "__main__":
    main()
