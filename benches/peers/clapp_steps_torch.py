#!/usr/bin/env python3
"""Speed of learning alone, of the PyTorch twins of netlists/clapp (see clapp_images_torch.py, clapp_speech_torch.py and
clapp_speech_recurrent_torch.py): no read-outs, a few pictures or one pass over the recordings. The last line is JSON.

Time is that of patches or frames put together, forward passes, gradients and Adam; data are read and scaled before. A first, shorter
round warms up and does not count.

    pip install torch numpy
    python benches/peers/clapp_steps_torch.py images --data DIR --threads 2
"""

import argparse
import pathlib

import numpy as np
import torch
from torch import nn

import clapp_images_torch as images
import clapp_speech_torch as speech
from sides import tell

# Pictures that are read: enough for some seconds.
PICTURES = 6_400


def learn_images(data, visits):
    """Seconds and steps of visits by 32 replicas."""
    options = argparse.Namespace(
        epochs=1, synchronous=False, above=False, no_prediction=False, no_modulator=False, retro="tied", rate=2e-4, pred_rate=1e-3, gain=3**0.5, predict=0.01
    )
    x, classes = images.cifar(data / "cifar10" / "data_batch_1.bin")
    x = x[:PICTURES].float()
    x = (x - x.mean((0, 2, 3), keepdim=True)) / x.std((0, 2, 3), keepdim=True)
    x = torch.cat([images.local_contrast(part, images.SIGMA) for part in x.split(500)])
    widths = ["32p", "64p", "128", "128"]
    inputs = [3] + [int(width.rstrip("p")) for width in widths]
    layers = nn.ModuleList([images.Layer(n, width, None, options) for n, width in zip(inputs, widths)])
    for count in (visits // 8, visits):
        split = x[: count * images.REPLICAS], classes
        seconds, done = images.train(layers, split, options, 1, 0)
    return seconds, done * images.GRID**2


def learn_speech(data):
    """Seconds and steps of a pass by 30 replicas."""
    split = speech.spoken_digits(data)[0]
    sizes = [speech.CHANNELS, 128, 256]
    layers = nn.ModuleList([speech.Layer(a, b) for a, b in zip(sizes, sizes[1:])])
    speech.train(layers, split, 1, 1, 2e-4)
    return speech.train(layers, split, 4, 1, 2e-4)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("network", choices=["images", "speech"])
    parser.add_argument("--data", type=pathlib.Path, required=True, help="folder with the data sets")
    parser.add_argument("--visits", type=int, default=200, help="of images: visits, of nine steps")
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(1)
    np.random.seed(1)
    learn = {"images": lambda: learn_images(options.data, options.visits), "speech": lambda: learn_speech(options.data)}
    seconds, steps = learn[options.network]()
    tell("torch", ms_a_step=1e3 * seconds / steps, steps=steps, threads=options.threads, version=torch.__version__)


if __name__ == "__main__":
    main()
