"""What the program chooses at random or by rule, by the documentation's formulas: the order of clips and the frames of a sample."""


class Philox:
    """Philox4x32-10 (Salmon et al. 2011): the words of a stream of a seed, one after another."""

    def __init__(self, seed, stream):
        self.key, self.stream, self.block, self.words = (seed & 0xFFFFFFFF, seed >> 32), stream, 0, []

    def word(self):
        if not self.words:
            counter = (self.block & 0xFFFFFFFF, self.block >> 32, self.stream & 0xFFFFFFFF, self.stream >> 32)
            self.words = list(philox(counter, self.key))
            self.block += 1
        return self.words.pop(0)

    def below(self, count):
        return self.word() * count >> 32

    def permutation(self, count):
        order = list(range(count))
        for i in range(count - 1, 0, -1):
            j = self.below(i + 1)
            order[i], order[j] = order[j], order[i]
        return order


def philox(counter, key):
    c0, c1, c2, c3 = counter
    k0, k1 = key
    for _ in range(10):
        p0, p1 = 0xD2511F53 * c0, 0xCD9E8D57 * c2
        c0, c1, c2, c3 = (p1 >> 32) ^ c1 ^ k0, p1 & 0xFFFFFFFF, (p0 >> 32) ^ c3 ^ k1, p0 & 0xFFFFFFFF
        k0, k1 = (k0 + 0x9E3779B9) & 0xFFFFFFFF, (k1 + 0xBB67AE85) & 0xFFFFFFFF
    return c0, c1, c2, c3


def orders(config, count):
    """The order of the training clips in each epoch, one after another."""
    generator = Philox(config["seed"], 1)
    while True:
        yield generator.permutation(count) if config["training"]["shuffle"] else list(range(count))


def training_frames(config, count, rate, epoch, position):
    """The frames of a clip of `count` frames that stands at `position` of the order of `epoch`, which is 0 for the first."""
    sampling = config["data"]["sampling"]
    if sampling["type"] == "uniform":
        return evaluation_frames(config, count, rate, 0, 1)
    generator = Philox(config["seed"], 0xA0 << 56 | epoch << 32 | position)
    frames = config["model"]["input"]["frames"]
    if sampling["type"] == "random":
        if count <= frames:
            return list(range(count))
        edges = [i * count // frames for i in range(frames + 1)]
        return [low + generator.below(high - low) for low, high in zip(edges, edges[1:])]
    offsets = spans(sampling, frames, rate)
    places = count - offsets[-1]
    start = generator.below(places) if places > 1 else 0
    return [start + offset for offset in offsets if start + offset < count]


def evaluation_frames(config, count, rate, index, samples):
    """The frames of sample `index` of `samples` in validation and prediction."""
    sampling, frames = config["data"]["sampling"], config["model"]["input"]["frames"]
    if sampling["type"] in ("uniform", "random"):
        if count <= frames:
            return list(range(count))
        return [(2 * (samples * i + index) + 1) * count // (2 * samples * frames) for i in range(frames)]
    offsets = spans(sampling, frames, rate)
    start = max(count - offsets[-1], 1) * (2 * index + 1) // (2 * samples)
    return [start + offset for offset in offsets if start + offset < count]


def spans(sampling, frames, rate):
    """Distances of a sample's frames from its first."""
    if sampling["type"] == "consecutive":
        return [i * sampling["stride"] for i in range(frames)]
    # The factor makes up for a rate that was rounded to single precision.
    return [int(i * rate / sampling["fps"] * (1 + 2**-23)) for i in range(frames)]


def filled(indices, frames, short_clips):
    """`frames` frames and a mask of ones for those that count: what `short_clips` makes of too few."""
    count = len(indices)
    fill = (lambda i: i % count) if short_clips == "loop" else (lambda i: min(i, count - 1))
    return [indices[fill(i)] for i in range(frames)], [float(i < count or short_clips != "mask") for i in range(frames)]
