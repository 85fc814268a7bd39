"""Random streams of Apical, number by number, and the films that a run of images with `path = "drift"` shows: for twins that see the same.

A stream is xoshiro256++ (Blackman and Vigna 2021), seeded as src/random/mod.rs does; whole numbers and shuffles are drawn as the crate rand 0.10 draws them.
The order of draws is that of src/input/order.rs and src/input/images/gaze.rs.
"""

WORD, HALF = 2**64 - 1, 2**32


def split_mix(z):
    """What SplitMix64 gives in the state z."""
    z = z + 0x9E3779B97F4A7C15 & WORD
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 & WORD
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB & WORD
    return z ^ (z >> 31)


class Stream:
    """The stream of a seed, a name and an index."""

    def __init__(self, seed, name, index):
        state = 0xCBF29CE484222325
        for byte in seed.to_bytes(8, "little") + name.encode() + b"\xff" + index.to_bytes(8, "little"):
            state = (state ^ byte) * 0x100000001B3 & WORD
        state = split_mix(state)
        self.state = [split_mix(state + k * 0x9E3779B97F4A7C15 & WORD) for k in range(4)]

    def word(self):
        """The next 32 random bits."""
        a, b, c, d = self.state
        turn = lambda x, by: (x << by | x >> (64 - by)) & WORD
        out = turn(a + d & WORD, 23) + a & WORD
        c, d = c ^ a, d ^ b
        self.state = [a ^ d, b ^ c, c ^ (b << 17 & WORD), turn(d, 45)]
        return out >> 32

    def below(self, count):
        """A whole number from 0 to count - 1."""
        product = self.word() * count
        found, rest = divmod(product, HALF)
        if rest > HALF - count:
            found += rest + self.word() * count // HALF >= HALF
        return found

    def shuffled(self, count):
        """The numbers from 0 to count - 1 in random order; one draw serves as many of them as fit into 32 bits."""
        order, chunk, left = list(range(count)), 0, 1
        for place in range(count):
            ways = place + 1
            if left == 0:
                bound, last = ways, ways + 1
                while bound * last < HALF:
                    bound, last = bound * last, last + 1
                chunk, left = self.below(bound), last - ways
            left -= 1
            chunk, other = (chunk, chunk) if left == 0 else divmod(chunk, ways)
            order[place], order[other] = order[other], order[place]
        return order


class Drift:
    """What a run with the input `name` shows, pass after pass: films begin at a place of a grid of so many rows and columns, in a direction."""

    def __init__(self, seed, name, images, grid, replicas):
        self.seed, self.name, self.images, self.grid, self.begun = seed, name, images, grid, {}
        self.gazes = [Stream(seed, f"gaze {name}", replica) for replica in range(replicas)]
        self.draw()
        self.begin("train")

    def draw(self):
        """Begins the next films: row, column and direction of each replica."""
        self.now = [[gaze.below(side) for side in (*self.grid, 8)] for gaze in self.gazes]

    def order(self, split):
        """The images of the next pass."""
        count = self.begun.get(split, 0)
        self.begun[split] = count + 1
        return Stream(self.seed, f"shuffle {self.name} {split}", count).shuffled(self.images[split])

    def begin(self, split):
        self.draw()
        return self.order(split)

    def stage(self, split, passes):
        """Images in the order in which they are shown, and row, column and direction of their films; pass after pass."""
        order = self.begin(split)
        for _ in range(passes):
            films = []
            for _ in range(0, len(order), len(self.gazes)):
                films += self.now
                self.draw()
            yield order, films[: len(order)]
            order = self.order(split)
