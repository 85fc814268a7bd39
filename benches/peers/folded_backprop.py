#!/usr/bin/env python3
"""Backpropagation as a control for netlists/folded: autoencoders with the same layers, digits and passes, in NumPy.

- mnist.toml: the best linear autoencoder with the same bottleneck (the principal components of the training digits), and
  784-100-20-100-784, tanh in the three inner layers, linear output, on the squared error.
- bidirectional.toml (`--netlist bidirectional`): 784-200-(20 tanh and 10 linear)-200-784; the ten numbers are to be the label, with
  half the squared error, to which the reconstruction's is added with the weight that the netlist gives it. Also the best
  linear classifier (least squares) of the pixels.

Both are trained with Adam in mini-batches of as many digits as the netlist has replicas. With `--run` the netlist runs
first, and its test results stand beside them.

    pip install numpy
    python benches/peers/folded_backprop.py --data DIR --run
    python benches/peers/folded_backprop.py --data DIR --run --netlist bidirectional

DIR holds mnist10k/ with the IDX files that the netlists name.
"""
import argparse
import pathlib
import time

import numpy as np

import sides


def images(path):
    """Digits of an IDX file, one a row, from 0 to 1."""
    with open(path, "rb") as file:
        magic, count, rows, columns = np.frombuffer(file.read(16), dtype=">u4")
        if magic != 0x803:
            raise SystemExit(f"{path} is not an IDX file of images")
        pixels = np.frombuffer(file.read(), dtype=np.uint8)
    return pixels.reshape(count, rows * columns).astype(np.float32) / 255


def linear(train, test, size):
    """Error of the best linear autoencoder: projection on the first principal components of the training digits."""
    mean = train.mean(0)
    _, _, components = np.linalg.svd(train - mean, full_matrices=False)
    kept = components[:size]
    return float(np.mean((test - mean - (test - mean) @ kept.T @ kept) ** 2))


def labels(path):
    """Labels of an IDX file as rows of ten numbers, one of them 1."""
    with open(path, "rb") as file:
        magic, count = np.frombuffer(file.read(8), dtype=">u4")
        if magic != 0x801:
            raise SystemExit(f"{path} is not an IDX file of labels")
        return np.eye(10, dtype=np.float32)[np.frombuffer(file.read(), dtype=np.uint8)[:count]]


def accuracy(scores, wanted):
    """Share of rows whose highest score is where the label is."""
    return float(np.mean(scores.argmax(1) == wanted.argmax(1)))


def linear_classifier(train, train_labels, test, test_labels, ridge=10):
    """Share of the test digits that least squares (with a small ridge) on the pixels classify rightly."""
    x, y = (np.c_[pixels, np.ones(len(pixels))] for pixels in (train, test))
    weights = np.linalg.solve(x.T @ x + ridge * np.eye(x.shape[1]), x.T @ train_labels)
    return accuracy(y @ weights, test_labels)


class Adam:
    """Kingma and Ba 2015, with their constants."""

    def __init__(self, parameters, rate):
        self.parameters, self.rate, self.updates = parameters, rate, 0
        self.first, self.second = ([np.zeros_like(p) for p in parameters] for _ in range(2))

    def step(self, gradients):
        self.updates += 1
        for p, gradient, m, v in zip(self.parameters, gradients, self.first, self.second):
            m += np.float32(0.1) * (gradient - m)
            v += np.float32(0.001) * (gradient ** 2 - v)
            mean, square = m / (1 - 0.9 ** self.updates), v / (1 - 0.999 ** self.updates)
            p -= (self.rate * mean / (np.sqrt(square) + 1e-8)).astype(np.float32)


class Autoencoder:
    """Layers 784-hidden-bottleneck-hidden-784; the last `classes` numbers of the bottleneck are linear, to be the label."""

    def __init__(self, sizes, classes, random):
        pixels, hidden, bottleneck = sizes
        self.classes, self.bottleneck = classes, bottleneck
        dims = [pixels, hidden, bottleneck + classes, hidden, pixels]
        weight = lambda m, n: random.standard_normal((m, n)).astype(np.float32) / np.float32(np.sqrt(n))
        self.weights = [weight(m, n) for n, m in zip(dims, dims[1:])]
        self.biases = [np.zeros(m, np.float32) for m in dims[1:]]

    def forward(self, x):
        """What each of the four layers gives, the image first."""
        values = [x]
        for layer, (weight, bias) in enumerate(zip(self.weights, self.biases)):
            z = values[-1] @ weight.T + bias
            if layer == 1:
                z = np.concatenate([np.tanh(z[:, :self.bottleneck]), z[:, self.bottleneck:]], axis=1)
            elif layer != 3:
                z = np.tanh(z)
            values.append(z)
        return values

    def gradients(self, x, target, weight):
        """Of weight · ½ (squared error of the image) + ½ (squared error of the classes), the mean of the batch."""
        values = self.forward(x)
        error = (values[4] - x) * np.float32(weight / len(x))
        found = [None] * 8
        for layer in reversed(range(4)):
            found[layer], found[4 + layer] = error.T @ values[layer], error.sum(0)
            if layer == 0:
                break
            error = error @ self.weights[layer]
            slope = 1 - values[layer] ** 2
            if layer == 2:
                slope[:, self.bottleneck:] = 1
            error *= slope
            if layer == 2 and self.classes:
                error[:, self.bottleneck:] += (values[2][:, self.bottleneck:] - target) / np.float32(len(x))
        return found


def backpropagation(train, test, options, weight, classes=0):
    """Errors of the test digits after each pass, and shares of them that are classified rightly (0 without classes)."""
    (train_images, train_labels), (test_images, test_labels) = train, test
    random = np.random.default_rng(options.seed)
    net = Autoencoder([train_images.shape[1], options.hidden, options.bottleneck], classes, random)
    adam, errors, shares = Adam(net.weights + net.biases, options.rate), [], []
    for _ in range(options.epochs):
        order = random.permutation(len(train_images))
        for at in range(0, len(order), options.batch):
            chosen = order[at:at + options.batch]
            adam.step(net.gradients(train_images[chosen], train_labels[chosen], weight))
        values = net.forward(test_images)
        errors.append(float(np.mean((test_images - values[4]) ** 2)))
        shares.append(accuracy(values[2][:, options.bottleneck:], test_labels) if classes else 0.0)
    return errors, shares


def netlist(name, data, seed):
    """What the netlist's measures found."""
    found, _ = sides.run_json(f"netlists/folded/{name}.toml", "--data", data, "--seed", seed)
    return {measure: of["value"] for measure, of in found["measures"].items() if "value" in of}


# Layers, passes and the weight of the reconstruction that stand in the netlists: (1 − λ) / cost of bidirectional.toml.
NETLISTS = {
    "mnist": {"hidden": 100, "epochs": 4, "weight": 1.0},
    "bidirectional": {"hidden": 200, "epochs": 12, "weight": 0.01 / 0.8},
}


def tell(ours, theirs):
    """The table: rows are the measures, with what the netlist found (if it ran) beside the controls."""
    for name, control in theirs.items():
        line = f"{name:48s} {control:.4f}"
        measure = "accuracy" if "share" in name else "test-error"
        if ours and measure in ours:
            value = ours[measure][-1]
            line += f"   folded {value:.4f}   ratio {value / control:.3f}"
        print(line)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, help="the folder that holds mnist10k/")
    parser.add_argument("--netlist", choices=NETLISTS, default="mnist")
    parser.add_argument("--hidden", type=int, help="hidden neurons [the netlist's]")
    parser.add_argument("--bottleneck", type=int, default=20)
    parser.add_argument("--epochs", type=int, help="passes [the netlist's]")
    parser.add_argument("--batch", type=int, default=20)
    parser.add_argument("--rate", type=float, default=1e-3, help="of Adam [%(default)s]")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--run", action="store_true", help="run the netlist too")
    options = parser.parse_args()
    netlists = NETLISTS[options.netlist]
    options.hidden = options.hidden or netlists["hidden"]
    options.epochs = options.epochs or netlists["epochs"]
    folder = pathlib.Path(options.data) / "mnist10k"
    read = lambda name: (images(folder / f"{name}-images-idx3-ubyte"), labels(folder / f"{name}-labels-idx1-ubyte"))
    train, test = read("train"), read("t10k")
    begun = time.perf_counter()
    classes = 10 if options.netlist == "bidirectional" else 0
    errors, shares = backpropagation(train, test, options, netlists["weight"], classes)
    found = {
        "error, best linear autoencoder": linear(train[0], test[0], options.bottleneck),
        "error, backpropagation": errors[-1],
    }
    if classes:
        found["share, best linear classifier of the pixels"] = linear_classifier(*train, *test)
        found["share, backpropagation"] = shares[-1]
    print(f"controls took {time.perf_counter() - begun:.0f} s")
    ours = {}
    if options.run:
        begun = time.perf_counter()
        ours = netlist(options.netlist, options.data, options.seed)
        print(f"the netlist took {time.perf_counter() - begun:.0f} s, seed {options.seed}")
    tell(ours, found)


if __name__ == "__main__":
    main()
