#!/usr/bin/env python3
"""Speed of learning alone of the PyTorch twins of netlists/clapp/images.toml, speech.toml and video.toml (clapp_images_torch.py,
clapp_speech_torch.py, clapp_video_torch.py): no read-outs, a few pictures or films, or some passes over the recordings. The last line is JSON.

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
import clapp_video_torch as video
from sides import tell


class FewPictures(images.Pictures):
    """As many pictures as visits need."""

    def __init__(self, learned, options):
        self.options, self.learned, self.inputs = options, learned, learned.shape[1]


def learn_images(data, visits):
    """Seconds and steps of visits by 32 replicas, after some that warm up."""
    parser = images.arguments(None, 1, 32, ["32p", "64p", "128", "128"])
    options = parser.parse_args(["--data", str(data)])
    options.synchronous = options.above = False
    x = images.cifar(data / "cifar10" / "data_batch_1.bin")[0][: visits * options.replicas].float()
    x = (x - x.mean((0, 2, 3), keepdim=True)) / x.std((0, 2, 3), keepdim=True)
    x = torch.cat([images.local_contrast(part, options.sigma) for part in x.split(500)])
    inputs = [x.shape[1]] + [images.size_of(width) for width in options.layers]
    layers = nn.ModuleList([images.Layer(n, width, None, options) for n, width in zip(inputs, options.layers)])
    images.train(FewPictures(x[: len(x) // 8], options), layers, options, 1)
    seconds, done = images.train(FewPictures(x, options), layers, options, 1)
    return seconds, done * FewPictures.steps


class FewFilms(video.Films):
    """As many films as visits need."""

    def __init__(self, learned, options):
        self.options, self.learned = options, learned


def learn_video(data, visits):
    """Seconds and steps of films that 8 replicas watch, after some that warm up."""
    parser = images.arguments(None, 1, 8, ["32p", "64p", "64t"])
    options = parser.parse_args(["--data", str(data)])
    options.ahead, options.synchronous = 4, True
    x = video.digits(data / "mnist10k", "train")[0][: visits * options.replicas]
    x = images.local_contrast((x - x.mean()) / x.std(correction=0), options.sigma)
    sizes = [FewFilms.inputs] + [images.size_of(width) for width in options.layers]
    layers = nn.ModuleList([images.Layer(n, width, None, options) for n, width in zip(sizes, options.layers)])
    # Whole visits: each is contrasted with the one before.
    images.train(FewFilms(x[: visits // 8 * options.replicas], options), layers, options, 1)
    seconds, done = images.train(FewFilms(x, options), layers, options, 1)
    return seconds, done * FewFilms.steps


def learn_speech(data):
    """Seconds and steps of four passes by 30 replicas, after one that warms up."""
    split = speech.spoken_digits(data)[0]
    sizes = [speech.CHANNELS, 128, 256]
    layers = nn.ModuleList([speech.Layer(a, b) for a, b in zip(sizes, sizes[1:])])
    speech.train(layers, split, 1, 1, 2e-4)
    return speech.train(layers, split, 4, 1, 2e-4)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("network", choices=["images", "speech", "video"])
    parser.add_argument("--data", type=pathlib.Path, required=True, help="folder with the data sets")
    parser.add_argument("--visits", type=int, default=200, help="of images and films: visits, of nine or 25 steps")
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(1)
    np.random.seed(1)
    learn = {
        "images": lambda: learn_images(options.data, options.visits),
        "speech": lambda: learn_speech(options.data),
        "video": lambda: learn_video(options.data, options.visits),
    }
    seconds, steps = learn[options.network]()
    tell("torch", ms_a_step=1e3 * seconds / steps, steps=steps, threads=options.threads, version=torch.__version__)


if __name__ == "__main__":
    main()
