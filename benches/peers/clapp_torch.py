#!/usr/bin/env python3
"""CLAPP (Illing et al. 2021) in PyTorch, by automatic differentiation with gradients blocked between layers, as the authors did.

Each layer has its own loss, Eq. 3: a hinge on the score u = z(t + k) · W_pred c(t) of a later view z and an earlier one c,
for fixations (y = 1, the same recording or image) and saccades (y = -1, another one), drawn with equal probabilities for each
sequence and step of training. As in Eqs. 6 to 8 the gradient reaches z by W_pred, and c by W_retro (`--retro free`), by the
transpose of W_pred (`tied`), or not at all (`none`). `--synchronous` takes both kinds at once (CLAPP-s). Adam at 2e-4, batches of 32.

`speech`: log-mel frames of spoken digits (`--data`/fsdd/recordings), layers of temporal convolutions; recordings numbered 0 to 4
test, the rest train; read out from activity averaged over time.
`images`: CIFAR-10 (`--data`/cifar10, binary) in patches, columns of the grid from top to bottom, through a VGG-like stack; read
out from activity averaged over patches.

A linear classifier (multinomial logistic regression on standardised features, L-BFGS) reads each layer before training and at
every `--report`. The last line is JSON: accuracies (per cent, layer by layer) of seeds and reports, seconds of training.

    pip install torch numpy
    python benches/peers/clapp_torch.py speech --data DIR --seeds 1 2 3 --epochs 40
    python benches/peers/clapp_torch.py images --data DIR --epochs 10 --layers 64 128p 128 256p

Layers of images are widths; `p` adds 2 x 2 max-pooling. `--kernel` is the side (images) or length (speech) of all kernels.
"""

import argparse
import pathlib
import time
import wave

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from sides import tell

# Speech: librosa's log-mel spectrogram, Slaney's scale (Slaney 1998, Auditory Toolbox).
RATE, WINDOW, HOP, CHANNELS, FLOOR_DB = 22_050, 2048, 512, 128, -80.0


def mel_filters():
    """Triangles of unit area, even on Slaney's mel scale: channels x frequencies."""
    step, start, log_step = 200 / 3, 1000.0, np.log(6.4) / 27
    top = RATE / 2
    mel_top = start / step + np.log(top / start) / log_step
    mels = np.linspace(0, mel_top, CHANNELS + 2)
    hz = np.where(mels < start / step, mels * step, start * np.exp(log_step * (mels - start / step)))
    frequencies = np.arange(WINDOW // 2 + 1) * RATE / WINDOW
    rise = (frequencies - hz[:-2, None]) / (hz[1:-1] - hz[:-2])[:, None]
    fall = (hz[2:, None] - frequencies) / (hz[2:] - hz[1:-1])[:, None]
    return np.maximum(0, np.minimum(rise, fall)) * (2 / (hz[2:] - hz[:-2]))[:, None]


def log_mel(path, filters):
    """Level (dB, from FLOOR_DB to 0) of a recording: frames x channels."""
    with wave.open(str(path)) as file:
        rate = file.getframerate()
        sound = np.frombuffer(file.readframes(file.getnframes()), "<i2") / 32768
    # Band-limited resampling through the Fourier transform.
    count = round(len(sound) * RATE / rate)
    spectrum = np.fft.rfft(sound)
    sound = np.fft.irfft(np.pad(spectrum, (0, max(0, count // 2 + 1 - len(spectrum)))), count) * count / len(sound)
    padded = np.pad(sound, WINDOW // 2)
    frames = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[::HOP]
    hann = np.sin(np.pi * np.arange(WINDOW) / WINDOW) ** 2
    power = np.abs(np.fft.rfft(frames * hann)) ** 2 @ filters.T
    level = 10 * np.log10(np.maximum(power, 1e-10))
    return np.maximum(level - level.max(), FLOOR_DB).astype(np.float32)


def spoken_digits(folder):
    """Recordings as padded frames (recordings x channels x time), lengths and digits, for training and for testing."""
    filters = mel_filters()
    splits = [[], []]
    for path in sorted((folder / "fsdd" / "recordings").glob("*.wav")):
        digit, _, number = path.stem.split("_")
        splits[int(number) < 5].append((int(digit), log_mel(path, filters)))
    values = np.concatenate([frames for _, frames in splits[0]])
    low, sd = values.min(), values.std()
    found = []
    for split in splits:
        lengths = torch.tensor([len(frames) for _, frames in split])
        x = torch.zeros(len(split), CHANNELS, int(lengths.max()))
        for row, (_, frames) in zip(x, split):
            row[:, : len(frames)] = torch.from_numpy((frames - low) / sd).T
        found.append((x, lengths, torch.tensor([digit for digit, _ in split])))
    return found


def cifar(path):
    """Images (count x 3 x 32 x 32, bytes) and labels of a binary batch."""
    records = np.fromfile(path, np.uint8).reshape(-1, 3073)
    return torch.from_numpy(records[:, 1:].reshape(-1, 3, 32, 32).copy()), torch.from_numpy(records[:, 0].astype(np.int64))


class Predictor(nn.Module):
    """W_pred and W_retro of a layer, one pair for each distance, and its loss."""

    def __init__(self, width, distances, options):
        super().__init__()
        bound = width**-0.5 * options.predict
        make = lambda: nn.ParameterList([nn.Parameter(torch.empty(width, width).uniform_(-bound, bound)) for _ in distances])
        self.distances, self.retro = distances, options.retro
        self.pred, self.back = make(), make() if options.retro == "free" else None

    def score(self, index, later, earlier):
        """u, and the same number with the gradients of Eqs. 6 to 8."""
        to_later = earlier.detach() @ self.pred[index].T
        u = (later * to_later).sum(-1)
        if self.retro == "none":
            return u, u
        if self.retro == "tied":
            return u, u + (earlier * (later.detach() @ self.pred[index].detach())).sum(-1)
        to_earlier = later.detach() @ self.back[index].T
        return u, u + (earlier * to_earlier).sum(-1)

    def loss(self, pairs):
        """Mean over distances of the hinge; `pairs` gives for each: later, earlier, y, weight (0 where there is none)."""
        total = 0.0
        for index, signs in enumerate(pairs):
            for later, earlier, y, weight in signs:
                u, through = self.score(index, later, earlier)
                surprised = ((1 - y * u.detach()) > 0).float() * weight
                total = total - (surprised * y * through).sum() / weight.sum().clamp(min=1)
        return total / len(self.distances)


class Speech:
    """Temporal convolutions of recordings."""

    def __init__(self, options):
        self.options = options
        self.train, self.test = spoken_digits(options.data)
        self.distances = options.ahead or [1, 2, 3, 4, 5]

    def layers(self):
        widths = [CHANNELS] + [int(width) for width in self.options.layers or ["128"] * 4]
        return nn.ModuleList([nn.Conv1d(a, b, self.options.kernel) for a, b in zip(widths, widths[1:])]), widths[1:]

    def forward(self, layer, x):
        """Causal: the response at t sees t and what was before."""
        return F.relu(layer(F.pad(x, (self.options.kernel - 1, 0))))

    def batch(self, index):
        x, lengths, _ = self.train
        longest = int(lengths[index].max())
        mask = torch.arange(longest) < lengths[index][:, None]
        return x[index][:, :, :longest], mask.float()

    def pairs(self, z, mask, k, order, y):
        """Later and earlier activity, batch x time x width; saccades go to the same time of another recording."""
        z = z.transpose(1, 2)
        later = torch.where((y > 0)[:, None, None], z, z[order])[:, k:]
        valid = torch.where((y > 0)[:, None], mask, mask[order])[:, k:] * mask[:, :-k]
        return later, z[:, :-k], y[:, None], valid

    def features(self, layers):
        """Time-averaged activity of each layer, for both splits."""
        found = []
        for x, lengths, _ in (self.train, self.test):
            mask = (torch.arange(x.shape[2]) < lengths[:, None]).float()[:, None]
            each = []
            for layer in layers:
                x = self.forward(layer, x)
                each.append((x * mask).sum(2) / lengths[:, None])
            found.append(each)
        return found


class Images:
    """Patches of images through a stack of 3 x 3 convolutions."""

    def __init__(self, options):
        self.options = options
        folder = options.data / "cifar10"
        batches = [cifar(folder / f"data_batch_{k}.bin") for k in (1, 2)]
        x, labels = torch.cat([b[0] for b in batches])[: options.images], torch.cat([b[1] for b in batches])[: options.images]
        y, test_labels = cifar(folder / "test_batch.bin")
        luma = torch.tensor([0.299, 0.587, 0.114])[:, None, None]
        grey = lambda x: (x * luma).sum(1, keepdim=True) if options.grey else x
        mean = grey(x[:2000].float()).mean((0, 2, 3), keepdim=True)
        sd = grey(x[:2000].float()).std((0, 2, 3), keepdim=True)
        self.prepare = lambda x: (grey(x.float()) - mean) / sd
        self.train, self.test = (x, None, labels), (y, None, test_labels)
        self.channels = 1 if options.grey else 3
        self.grid = (32 - options.patch) // options.stride + 1
        self.distances = options.ahead or list(range(1, self.grid))[:3]

    def layers(self):
        widths = self.options.layers or ["64", "128p", "128", "256p"]
        self.pools = [width.endswith("p") for width in widths]
        widths = [self.channels] + [int(width.rstrip("p")) for width in widths]
        pad, kernel = self.options.kernel // 2, self.options.kernel
        convolutions = [nn.Conv2d(a, b, kernel, padding=pad) for a, b in zip(widths, widths[1:])]
        for convolution, pool in zip(convolutions, self.pools):
            convolution.pool = pool
        return nn.ModuleList(convolutions), widths[1:]

    def forward(self, layer, x):
        x = F.relu(layer(x))
        return F.max_pool2d(x, 2) if layer.pool else x

    def patches(self, x):
        """Patches as a batch: images x grid x grid, row by row."""
        p, s = self.options.patch, self.options.stride
        cut = x.unfold(2, p, s).unfold(3, p, s).permute(0, 2, 3, 1, 4, 5)
        return cut.reshape(-1, x.shape[1], p, p)

    def batch(self, index):
        x = self.prepare(self.train[0][index])
        if self.options.augment:
            flip = torch.rand(len(x)) < 0.5
            x = torch.where(flip[:, None, None, None], x.flip(3), x)
        return self.patches(x), None

    def pairs(self, z, _, k, order, y):
        """The patch k rows below, of the same image or another."""
        z = z.mean((2, 3)).reshape(-1, self.grid, self.grid, z.shape[1])
        later = torch.where((y > 0)[:, None, None, None], z, z[order])[:, k:]
        weight = torch.ones(later.shape[:3])
        return later, z[:, :-k], y[:, None, None], weight

    def features(self, layers):
        found = []
        for images, _, _ in (self.train, self.test):
            each = [[] for _ in layers]
            for part in images.split(250):
                x = self.patches(self.prepare(part))
                for layer, out in zip(layers, each):
                    x = self.forward(layer, x)
                    out.append(x.mean((2, 3)).reshape(len(part), self.grid**2, -1).mean(1))
            found.append([torch.cat(out) for out in each])
        return found


def accuracy(train, labels, test, test_labels, ridge=1e-3):
    """Per cent of test labels that multinomial logistic regression finds; penalty ridge/2 on squared weights."""
    mean, sd = train.mean(0), train.std(0).clamp(min=1e-6)
    train, test = (train - mean) / sd, (test - mean) / sd
    weights = torch.zeros(train.shape[1], 10, requires_grad=True)
    bias = torch.zeros(10, requires_grad=True)
    solver = torch.optim.LBFGS([weights, bias], max_iter=200, line_search_fn="strong_wolfe")

    def loss():
        solver.zero_grad()
        value = F.cross_entropy(train @ weights + bias, labels) + ridge / 2 * (weights**2).sum()
        value.backward()
        return value

    solver.step(loss)
    with torch.no_grad():
        return float(((test @ weights + bias).argmax(1) == test_labels).float().mean() * 100)


def evaluate(task, layers):
    with torch.no_grad():
        train, test = task.features(layers)
    return [round(accuracy(a, task.train[2], b, task.test[2]), 2) for a, b in zip(train, test)]


def run(task, seed, options):
    """Trains a network; gives accuracies by epoch and the seconds of training."""
    torch.manual_seed(seed)
    layers, widths = task.layers()
    for layer in layers:
        if options.init == "kaiming":
            nn.init.kaiming_uniform_(layer.weight, nonlinearity="relu")
            nn.init.zeros_(layer.bias)
    predictors = nn.ModuleList([Predictor(width, task.distances, options) for width in widths])
    parameters = [*layers.parameters(), *predictors.parameters()]
    adam = torch.optim.Adam(parameters, lr=options.rate)
    found, seconds, steps = {0: evaluate(task, layers)}, 0.0, 0
    print(f"seed {seed} epoch 0: {found[0]}", flush=True)
    for epoch in range(1, options.epochs + 1):
        begun = time.perf_counter()
        shuffled = torch.randperm(len(task.train[0]))
        for index in shuffled[: len(shuffled) // options.batch * options.batch].split(options.batch):
            x, mask = task.batch(index)
            y = torch.where(torch.rand(len(index)) < 0.5, -1.0, 1.0)
            order = torch.arange(len(index)).roll(1 + int(torch.randint(len(index) - 1, ())))
            kinds = [torch.ones_like(y), -torch.ones_like(y)] if options.synchronous else [y]
            loss = 0.0
            for layer, predictor in zip(layers, predictors):
                x = task.forward(layer, x.detach())
                pairs = [[task.pairs(x, mask, k, order, y) for y in kinds] for k in task.distances]
                loss = loss + predictor.loss(pairs)
            adam.zero_grad()
            loss.backward()
            adam.step()
            steps += 1
        seconds += time.perf_counter() - begun
        if epoch % options.report == 0 or epoch == options.epochs:
            found[epoch] = evaluate(task, layers)
            print(f"seed {seed} epoch {epoch} ({steps} steps, {seconds:.0f} s): {found[epoch]}", flush=True)
    return found, seconds


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("task", choices=["speech", "images"])
    parser.add_argument("--data", type=pathlib.Path, required=True, help="folder with the data sets")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1])
    parser.add_argument("--epochs", type=int, default=40)
    parser.add_argument("--report", type=int, default=10, help="epochs between read-outs [%(default)s]")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--rate", type=float, default=2e-4)
    parser.add_argument("--layers", nargs="+")
    parser.add_argument("--kernel", type=int, default=3)
    parser.add_argument("--ahead", type=int, nargs="+", help="distances of prediction (steps, or rows of patches)")
    parser.add_argument("--retro", choices=["free", "tied", "none"], default="free")
    parser.add_argument("--predict", type=float, default=1.0, help="W_pred is uniform up to this over the square root of the width")
    parser.add_argument("--init", choices=["default", "kaiming"], default="default")
    parser.add_argument("--synchronous", action="store_true", help="CLAPP-s")
    parser.add_argument("--images", type=int, default=20_000)
    parser.add_argument("--patch", type=int, default=16)
    parser.add_argument("--stride", type=int, default=8)
    parser.add_argument("--grey", action="store_true")
    parser.add_argument("--augment", action="store_true", help="mirrored images as well")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    task = Speech(options) if options.task == "speech" else Images(options)
    results = {seed: run(task, seed, options) for seed in options.seeds}
    tell("torch", task=options.task, accuracy={seed: found for seed, (found, _) in results.items()},
         wall_s=sum(seconds for _, seconds in results.values()), threads=options.threads, version=torch.__version__)


if __name__ == "__main__":
    main()
