"""Angles between what a circuit's local rules would change and the gradient that backpropagation computes.

    apical run netlists/microcircuit/teacher.toml
    python benches/peers/predecessors_backprop.py runs/microcircuit-teacher-1

A run of netlists/microcircuit/teacher.toml, netlists/predictive-coding/teacher.toml or netlists/least-action/teacher.toml stops
in its stages `updates`, in which nothing is learned, and measures there what the rules of W_hidden and W_output would
change (measure `update`). From the weights that it recorded, and inputs and targets of the same stage, this script computes
the gradient of the squared error of the output, and of nothing else that the circuit did.

With --csv FILE the angles are written as a table as well (`apical report DIR --overlay` takes two columns of it).

Needs NumPy and PyArrow.
"""

import argparse
import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as parquet


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


# The network that each circuit computes without a teacher: activation of the hidden layer and its derivative, and by how
# much the drives of hidden and output layer are attenuated.
SIGMOID = (sigmoid, lambda x: sigmoid(x) * (1 - sigmoid(x)))
TANH = (np.tanh, lambda x: 1 - np.tanh(x) ** 2)
NETWORKS = {
    "microcircuit-teacher": (SIGMOID, 1 / 1.9, 1 / 1.1),
    "predictive-coding-teacher": (TANH, 1.0, 1.0),
    "least-action-teacher": (TANH, 1.0, 1.0),
}


def angle(a, b):
    """Degrees between two tensors taken as vectors."""
    return np.degrees(np.arccos(np.sum(a * b) / np.linalg.norm(a) / np.linalg.norm(b)))


def trace(run, name, runs):
    """A trace and the step at which each run of its stage begins.

    The trace is runs × samples × elements, without the first sample of each run, which is before any input.
    """
    table = parquet.read_table(run / "traces" / f"{name}.parquet")
    elements = [column for column in table.column_names if column.isdigit()]
    values = np.stack([table[e].to_numpy() for e in elements], axis=1)
    starts = table["step"].to_numpy().reshape(runs, -1)[:, 0]
    return values.reshape(runs, -1, len(elements))[:, 1:], starts


def weights_at(run, name, steps):
    """The weights of a projection at these steps."""
    values = np.load(run / "weights" / f"weights-{name}.npy")
    taken = np.load(run / "weights" / f"weights-{name}.steps.npy")
    return [values[np.flatnonzero(taken <= step).max()] for step in steps]


def gradient(network, W_hidden, W_output, inputs, targets):
    """Minus the gradient of half the squared error for both matrices, and the error (its mean over samples and outputs)."""
    (f, df), hidden_gain, output_gain = network
    drive = hidden_gain * inputs @ W_hidden
    rate = f(drive)
    error = targets - output_gain * rate @ W_output
    back = output_gain * df(drive) * (error @ W_output.T)
    return hidden_gain * inputs.T @ back, output_gain * rate.T @ error, np.mean(error**2)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("run", type=Path, help="run directory")
    parser.add_argument("--csv", type=Path, help="write the table here")
    options = parser.parse_args()
    report = json.loads((options.run / "run.json").read_text())
    network = NETWORKS[report["netlist"]["name"]]
    updates = [np.load(options.run / "measures" / f"update-{layer}.npy") for layer in ("hidden", "output")]
    runs = len(updates[0])
    inputs, starts = trace(options.run, "input", runs)
    targets, _ = trace(options.run, "target", runs)
    hidden, output = (weights_at(options.run, name, starts) for name in ("W_hidden", "W_output"))
    print(f"{'step':>10} {'error':>9} {'hidden':>7} {'output':>7} {'both':>7}   (angles in degrees)")
    rows = []
    for k in range(runs):
        g_hidden, g_output, error = gradient(network, hidden[k], output[k], inputs[k], targets[k])
        u_hidden, u_output = updates[0][k], updates[1][k]
        both = angle(np.r_[u_hidden.ravel(), u_output.ravel()], np.r_[g_hidden.ravel(), g_output.ravel()])
        rows.append((starts[k], error, angle(u_hidden, g_hidden), angle(u_output, g_output), both))
        print(f"{rows[-1][0]:>10} {error:>9.4f} {rows[-1][2]:>7.1f} {rows[-1][3]:>7.1f} {both:>7.1f}")
    if options.csv:
        np.savetxt(options.csv, rows, delimiter=",", header="step,error,hidden,output,both", comments="", fmt="%.6g")


if __name__ == "__main__":
    main()
