"""The HDF5 files of Keras and malformed ones that the readers of weights are tested with.

The network is a VGG of two blocks, [[2, 3], [4]], on three channels. Value i of a tensor is ((7 i + 13 n) mod 101 - 50) / 64,
exact in single precision, with n = 1, 2, 3 for the kernels in order and 101, 102, 103 for the biases.
"""

import h5py
import keras
import numpy as np
from keras import layers

LAYERS = [("block1_conv1", 3, 2), ("block1_conv2", 2, 3), ("block2_conv1", 3, 4)]


def values(number, *shape):
    index = np.arange(np.prod(shape), dtype=np.int64)
    return (((7 * index + 13 * number) % 101 - 50) / 64).astype(np.float32).reshape(shape)


def network():
    """(name, kernel, bias) of each convolution."""
    return [(name, values(n, 3, 3, c, k), values(100 + n, k)) for n, (name, c, k) in enumerate(LAYERS, 1)]


def keras1(path, layers, dtype=np.float32, suffix="_W_1:0"):
    """The layout of the official files: fixed-length strings, `block1_conv1_W_1:0`."""
    with h5py.File(path, "w") as file:
        names = ["input_1"] + [name for name, *_ in layers]
        file.attrs["layer_names"] = [name.encode() for name in names]
        file.create_group("input_1").attrs["weight_names"] = np.array([], dtype="S1")
        for name, *weights in layers:
            group = file.create_group(name)
            words = [f"{name}{suffix}", f"{name}_b_1:0", f"{name}_mean:0", f"{name}_variance:0"][: len(weights)]
            group.attrs["weight_names"] = [word.encode() for word in words]
            for word, weight in zip(words, weights):
                group.create_dataset(word, data=weight.astype(dtype) if weight.dtype.kind == "f" else weight)


def with_keras(folder):
    frame = keras.Input((8, 8, 3))
    x = frame
    for name, _, filters in LAYERS:
        x = layers.Conv2D(filters, 3, padding="same", activation="relu", name=name)(x)
        if name != "block1_conv1":
            x = layers.MaxPooling2D(name=name[:6] + "_pool")(x)
    vgg = keras.Model(frame, x, name="tiny_vgg")
    for name, kernel, bias in network():
        vgg.get_layer(name).set_weights([kernel, bias])
    vgg.save_weights(folder / "keras3.weights.h5")

    clip = keras.Input((2, 8, 8, 3))
    x = layers.TimeDistributed(keras.Sequential([vgg, layers.GlobalAveragePooling2D()]))(clip)
    x = layers.BatchNormalization()(x)
    x = layers.LSTM(2)(x)
    model = keras.Model(clip, layers.Dense(2, name="predictions")(x))
    model.save_weights(folder / "keras3_nested.weights.h5")
    model.save(folder / "keras3_model.h5")


def vgg11_by_order(folder):
    """Keras 3's layout of a whole VGG11 whose layers have no names; constants, so that gzip makes it small."""
    filters = [64, 128, 256, 256, 512, 512, 512, 512]
    with h5py.File(folder / "vgg11_by_order.weights.h5", "w", libver="latest") as file:
        channels = 3
        for n, k in enumerate(filters):
            group = file.create_group("layers/conv2d" + (f"_{n}" if n else "") + "/vars")
            for name, shape, value in [("0", (3, 3, channels, k), n + 1), ("1", (k,), -n - 1)]:
                data = np.full(shape, value, np.float32)
                group.create_dataset(name, data=data, chunks=shape, compression="gzip", compression_opts=9)
            channels = k


def malformed(folder):
    plain = network()

    def bad(name, layers=plain, **options):
        path = folder / f"bad_{name}.h5"
        keras1(path, layers, **options)
        return path

    def changed(index, kernel=None, bias=None):
        layers = [list(layer) for layer in plain]
        layers[index][1] = layers[index][1] if kernel is None else kernel
        layers[index][2] = layers[index][2] if bias is None else bias
        return layers

    nan = plain[1][1].copy()
    nan.flat[17] = np.nan
    bad("nan", changed(1, kernel=nan))
    bad("integers", changed(1, kernel=np.ones((3, 3, 2, 3), np.int32)))
    bad("theano", [(name, kernel.transpose(3, 2, 0, 1), bias) for name, kernel, bias in plain])
    bad("chain", changed(1, kernel=values(2, 3, 3, 5, 3)))
    bad("bias", changed(2, bias=values(103, 5)))
    bad("gap", plain[1:])
    bad("twice", plain + [("copy/block1_conv1", plain[0][1], plain[0][2])])
    scales = [(name + "_bn", *[values(n, kernel.shape[3]) for n in range(4)]) for name, kernel, _ in plain]
    bad("normalized", [layer for pair in zip(plain, scales) for layer in pair])
    bad("three_weights", [layer + (layer[2],) for layer in plain])
    bad("not_a_vgg", [(f"conv{n}", kernel, bias) for n, (_, kernel, bias) in enumerate(plain)])

    # The second convolution's kernel gives way to something else.
    kernel, bias = "block1_conv2/block1_conv2_W_1:0", "block1_conv2/block1_conv2_b_1:0"

    def edited(name, edit, gone=(kernel,)):
        with h5py.File(bad(name), "r+") as file:
            for dataset in gone:
                del file[dataset]
            edit(file)

    def create(*arguments, **options):
        return lambda file: file.create_dataset(kernel, *arguments, **options)

    edited("external_link", lambda file: file.__setitem__(kernel, h5py.ExternalLink("keras1.h5", kernel)))
    edited("soft_link", lambda file: file.__setitem__(kernel, h5py.SoftLink("/block1_conv1/block1_conv1_W_1:0")))
    edited("missing", lambda file: None)
    edited("external_storage", create((3, 3, 2, 3), "f4", external=[("/etc/passwd", 0, 216)]))
    edited("huge", create((3, 3, 2, 1 << 40), "f4", chunks=(3, 3, 2, 64)))
    edited("rank", create(data=np.zeros((1,) * 9, np.float32)))

    def virtual(file):
        layout = h5py.VirtualLayout(shape=(3, 3, 2, 3), dtype="f4")
        layout[...] = h5py.VirtualSource("keras1.h5", kernel, shape=(3, 3, 2, 3))
        file.create_virtual_dataset(kernel, layout)

    edited("virtual", virtual)

    def bomb(file):
        # One chunk of zeros stored, 32 MiB claimed.
        data = file.create_dataset(kernel, (3, 3, 2, 466_034), "f4", chunks=(3, 3, 2, 64), compression="gzip")
        data[:, :, :, :64] = 0

    edited("bomb", bomb)

    def wide(file):
        # Packed as well as deflate can, which is allowed: the next check is of the filters.
        file.create_dataset(kernel, data=np.zeros((3, 3, 2, 4096), np.float32), chunks=(3, 3, 2, 4096), compression="gzip")
        del file[bias]
        file.create_dataset(bias, data=np.zeros(4096, np.float32), chunks=(4096,), compression="gzip")

    edited("wide", wide)

    def unknown_filter(file):
        # A filter that no library has, marked as one that values cannot be read without.
        plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        plist.set_chunk((3, 3, 2, 3))
        plist.set_filter(h5py.h5z.FILTER_SHUFFLE, 0)
        space = h5py.h5s.create_simple((3, 3, 2, 3))
        data = h5py.h5d.create(file["block1_conv2"].id, b"block1_conv2_W_1:0", h5py.h5t.IEEE_F32LE, space, plist)
        h5py.Dataset(data)[...] = 1

    edited("filter", unknown_filter)
    path = folder / "bad_filter.h5"
    content = bytearray(path.read_bytes())
    # The message of the filter pipeline: version 1, one filter; then the filter's number.
    at = content.index(b"\x02\x00\x08\x00\x00\x00\x01\x00shuffle\x00")
    content[at : at + 2] = (32_000).to_bytes(2, "little")
    path.write_bytes(content)

    def names(value):
        return lambda file: file["block1_conv2"].attrs.__setitem__("weight_names", value)

    edited("long_list", names(np.array([b"w"] * 5000, dtype="S1")), gone=())
    edited("dots", names([b"../block1_conv1"]), gone=())
    edited("not_utf8", names(np.array([b"\xff\xfe"], dtype="S2")), gone=())
    edited("no_list", lambda file: file["block1_conv2"].attrs.__delitem__("weight_names"), gone=())
    edited("names_are_numbers", lambda file: file.attrs.__setitem__("layer_names", np.arange(3)), gone=())
    with h5py.File(folder / "bad_cycle.h5", "w") as file:
        group = file.create_group("layers")
        for n in range(10):
            group[f"again_{n}"] = group
    with h5py.File(folder / "bad_empty.h5", "w"):
        pass


def write(folder):
    for old in folder.glob("*.h5"):
        old.unlink()
    top = [("fc1", values(5, 4, 2), values(6, 2)), ("predictions", values(7, 2, 2), values(8, 2))]
    keras1(folder / "keras1.h5", network())
    keras1(folder / "keras1_with_top.h5", network() + top, dtype=np.float64)
    keras1(folder / "keras1_half.h5", network(), dtype=np.float16)
    vgg11_by_order(folder)
    malformed(folder)
    with_keras(folder)
