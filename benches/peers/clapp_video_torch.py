#!/usr/bin/env python3
"""The network, data and steps of netlists/clapp/video.toml in PyTorch, by automatic differentiation with gradients blocked between layers.

Each replica watches a film: a digit of MNIST, with its local mean and contrast taken out, behind a window of 20 x 20 pixels that drifts straight over it by two
pixels a frame and comes back from the edges; 25 frames. Layers and losses are those of clapp_images_torch.py; `t` after a width is a convolution over
places and three frames. Each layer's code predicts itself four frames later, against the same frame of the film that the replica saw before, both at
once (CLAPP-s, as clapp_images_torch.py --synchronous). Adam moves the weights once a film.

With `--weights runs/clapp-video` seed N begins with the first weights of the run in runs/clapp-video-N, and with `--same` it sees the very films of that
run, so that only rounding differs. `--hold-out` learns from the first 6,000 digits and tests on the 2,000 others of the training set: what the network
and the numbers of steps were chosen on.

A linear classifier (multinomial logistic regression on standardised values, penalty 1e-3 / 2) reads each layer's code, averaged over a film from its
third frame on, before and after learning. The last line is JSON.

    pip install torch numpy
    python benches/peers/clapp_video_torch.py --data DIR --seeds 1 2 3 --weights runs/clapp-video --same
"""

import numpy as np
import torch

from clapp_images_torch import Task, arguments, local_contrast, run
from streams import Drift

WINDOW, STRIDE, SIDE, HELD_OUT = 20, 2, 28, 2_000
GRID = (SIDE - WINDOW) // STRIDE + 1
DIRECTIONS = torch.tensor([[down, right] for down in (-1, 0, 1) for right in (-1, 0, 1) if down or right])


def digits(folder, name):
    """Images (count x 1 x 28 x 28, 0 to 255) and classes of a pair of IDX files."""
    read = lambda kind, header: torch.from_numpy(np.fromfile(folder / f"{name}-{kind}", np.uint8)[header:].copy())
    return read("images-idx3-ubyte", 16).reshape(-1, 1, SIDE, SIDE).float(), read("labels-idx1-ubyte", 8).long()


class Films(Task):
    """Digits that drift across the field of view."""

    steps, inputs = GRID**2, 1
    # Films of a run, and where they begin, if the very same are to be seen.
    drift = paths = None

    def __init__(self, options):
        self.options = options
        (x, classes), (test, test_classes) = (digits(options.data / "mnist10k", name) for name in ("train", "t10k"))
        x, test = ((part - x.mean()) / x.std(correction=0) for part in (x, test))
        if options.sigma:
            x, test = local_contrast(x, options.sigma), local_contrast(test, options.sigma)
        if options.hold_out:
            x, test, classes, test_classes = *x.split(len(x) - HELD_OUT), *classes.split(len(x) - HELD_OUT)
        self.learned, self.read = x, ((x, classes), (test, test_classes))

    def begin(self, seed):
        counts = dict(zip(("train", "test"), (len(x) for x, _ in self.read)))
        self.drift = Drift(seed, "film", counts, (GRID, GRID), self.options.replicas) if self.options.same else None
        self.paths = None

    def stage(self, split, epochs):
        """The run's own order, pass after pass; its films begin where the run's do."""
        for order, films in self.drift.stage(split, epochs):
            order = torch.tensor(order)
            self.paths = torch.tensor(films)[order.argsort()]
            yield order

    def look(self, split, count):
        if self.drift:
            list(self.stage(split, 1))
        return super().look(split, count)

    def passes(self, epochs):
        return self.stage("train", epochs) if self.drift else super().passes(epochs)

    def whole(self, x, index):
        """Films of digits: films x frames x 1 x rows x columns, from a random place in one of eight directions."""
        if self.paths is None:
            place, direction = torch.randint(GRID, (len(index), 2)), torch.randint(len(DIRECTIONS), (len(index),))
        else:
            place, direction = self.paths[index, :2], self.paths[index, 2]
        places, drift = [place], DIRECTIONS[direction]
        for _ in range(self.steps - 1):
            beyond = lambda place: (place < 0) | (place >= GRID)
            drift = torch.where(beyond(place + drift), -drift, drift)
            place = torch.where(beyond(place + drift), place, place + drift)
            places.append(place)
        row, column = (torch.stack(places, 1) * STRIDE).unbind(2)
        return x.unfold(2, WINDOW, 1).unfold(3, WINDOW, 1)[index[:, None], :, row, column]

    def visit(self, index):
        """The films that replicas watch; they all move on within a film."""
        return self.whole(self.learned, index), torch.ones(())

    def moves(self, codes, before, k, y):
        """What layer k is scored on: codes some frames later, of this film and of the one before, their contexts, and y."""
        z, ahead = codes[k], self.options.ahead
        context = z[:, :-ahead]
        return [(z[:, ahead:], context, y)] + ([(before[k][:, ahead:], context, -y)] if before else [])


def main():
    parser = arguments(__doc__, 2, 8, ["32p", "64p", "64t"])
    parser.set_defaults(synchronous=True, rate=1e-4, pred_rate=5e-4)
    parser.add_argument("--ahead", type=int, default=4, help="frames from context to prediction")
    parser.add_argument("--hold-out", action="store_true", help="test on the last 2,000 of the training digits")
    parser.add_argument("--same", action="store_true", help="the films that the run of each seed shows, in its order")
    options = parser.parse_args()
    if options.same and (options.hold_out or options.report):
        parser.error("--same shows what video.toml does: leave out --hold-out and --report")
    torch.set_num_threads(options.threads)
    run(Films(options), options)


if __name__ == "__main__":
    main()
