#!/usr/bin/env python3
"""Backpropagation as a control for netlists/folded/mnist.toml: autoencoders with the same bottleneck, digits and epochs.

Two of them, in NumPy: the best linear one (the principal components of the training digits), and one with the netlist's
layers (784-100-20-100-784, tanh in the three inner layers, linear output), trained by backpropagation with Adam on the
squared error in mini-batches of as many digits as the netlist has replicas. Each prints its mean squared error of the
test digits. With `--run` the netlist runs first, and its errors stand beside them, as ratios.

    pip install numpy
    python benches/peers/folded_backprop.py --data DIR --run

DIR holds mnist10k/ with the four IDX files that the netlist names.
"""

import argparse
import json
import pathlib
import subprocess
import tempfile
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


def backpropagation(train, test, sizes, epochs, batch, rate, seed):
    """Errors of the test digits after each epoch."""
    random = np.random.default_rng(seed)
    sizes = sizes + sizes[-2::-1]
    weights = [random.standard_normal((m, n)).astype(np.float32) / np.float32(np.sqrt(n)) for n, m in zip(sizes, sizes[1:])]
    parameters = weights + [np.zeros(m, np.float32) for m in sizes[1:]]
    first, second = ([np.zeros_like(p) for p in parameters] for _ in range(2))
    layers = len(weights)

    def forward(x):
        values = [x]
        for layer in range(layers):
            z = values[-1] @ parameters[layer].T + parameters[layers + layer]
            values.append(z if layer == layers - 1 else np.tanh(z))
        return values

    found, updates = [], 0
    for _ in range(epochs):
        order = random.permutation(len(train))
        for at in range(0, len(train), batch):
            values = forward(train[order[at:at + batch]])
            error = (values[-1] - values[0]) / np.float32(len(values[0]))
            gradients = [None] * len(parameters)
            for layer in reversed(range(layers)):
                gradients[layer] = error.T @ values[layer]
                gradients[layers + layer] = error.sum(0)
                if layer:
                    error = (error @ parameters[layer]) * (1 - values[layer] ** 2)
            updates += 1
            for p, gradient, m, v in zip(parameters, gradients, first, second):
                m += np.float32(0.1) * (gradient - m)
                v += np.float32(0.001) * (gradient ** 2 - v)
                mean, square = m / (1 - 0.9 ** updates), v / (1 - 0.999 ** updates)
                p -= (rate * mean / (np.sqrt(square) + 1e-8)).astype(np.float32)
        found.append(float(np.mean((test - forward(test)[-1]) ** 2)))
    return found


def netlist(data, seed):
    """Errors of the test digits before learning and after each epoch, in the folded autoencoder."""
    with tempfile.TemporaryDirectory() as folder:
        out = pathlib.Path(folder) / "run"
        command = [sides.apical(), "run", str(sides.ROOT / "netlists/folded/mnist.toml"), "--data", data,
                   "--out", str(out), "--seed", str(seed), "--threads", "1", "--quiet"]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        return json.loads((out / "run.json").read_text())["measures"]["test-error"]["value"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, help="the folder that holds mnist10k/")
    parser.add_argument("--hidden", type=int, default=100)
    parser.add_argument("--bottleneck", type=int, default=20)
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--batch", type=int, default=20)
    parser.add_argument("--rate", type=float, default=1e-3, help="of Adam [%(default)s]")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--run", action="store_true", help="run the netlist too")
    options = parser.parse_args()
    folder = pathlib.Path(options.data) / "mnist10k"
    train, test = images(folder / "train-images-idx3-ubyte"), images(folder / "t10k-images-idx3-ubyte")
    begun = time.perf_counter()
    sizes = [train.shape[1], options.hidden, options.bottleneck]
    found = {
        "linear": linear(train, test, options.bottleneck),
        "backpropagation": backpropagation(train, test, sizes, options.epochs, options.batch, options.rate, options.seed)[-1],
    }
    print(f"controls took {time.perf_counter() - begun:.0f} s")
    folded = None
    if options.run:
        begun = time.perf_counter()
        folded = netlist(options.data, options.seed)[-1]
        print(f"netlist took {time.perf_counter() - begun:.0f} s")
        print(f"{'folded autoencoder':20s} {folded:.5f}")
    for name, error in found.items():
        ratio = "" if folded is None else f"   folded: {folded / error:.3f} times that"
        print(f"{name:20s} {error:.5f}{ratio}")


if __name__ == "__main__":
    main()
