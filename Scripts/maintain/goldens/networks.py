"""Goldens of the named networks: features, gradients and a training step of torchvision's and others' models with weights by a formula.

The weights would be too large to keep. Both sides compute them from the tensors' numbers and shapes, which the golden lists
under the names of the other program, so that a test also imports them.
"""

import numpy as np

from maintain import environment

from .golden import Golden

PACKAGES = ("torch", "torchvision", "timm", "efficientnet-lite-pytorch", "safetensors", "numpy")

# Rows and columns: an odd one shows on which side the zeros are.
SIZE = (72, 61)
FRAMES = 4
# The training step: two clips of two frames, a mean over time and a dense layer; vidclass's default optimiser.
LABELS = (2, 0)
CLASSES = 3
NADAM = dict(lr=0.002, betas=(0.9, 0.999), eps=1e-8, momentum_decay=0.004)
CHANNELS_FIRST = (FRAMES, 3, *SIZE)


def values(number, count):
    """`count` numbers in [-1, 1) by a hash (the finaliser of MurmurHash3) of their index and `number`."""
    x = (np.arange(count, dtype=np.uint64) + 0x9E3779B9 * (number + 1)) % 2**32
    x ^= x >> np.uint64(16)
    x = x * np.uint64(0x85EBCA6B) % 2**32
    x ^= x >> np.uint64(13)
    x = x * np.uint64(0xC2B2AE35) % 2**32
    x ^= x >> np.uint64(16)
    return ((x >> np.uint64(8)).astype(np.float32) * np.float32(2.0**-23) - np.float32(1)).astype(np.float32)


def weights(number, name, shape):
    """Kernels by He's rule, normalisations near one."""
    inputs = int(np.prod(shape[1:])) if len(shape) == 4 else None
    return scaled(number, shape, inputs, is_variance=name.endswith("running_var"), is_scale=name.endswith("weight"))


def scaled(number, shape, inputs, is_variance, is_scale):
    """The numbers of a kernel that sums so many `inputs`, or, where those are None, of a normalisation or a bias."""
    uniform = values(number, int(np.prod(shape)))
    if inputs is not None:
        uniform = uniform * np.float32(np.sqrt(6.0 / inputs))
    elif is_variance:
        uniform = np.float32(1) + np.float32(0.5) * uniform
    elif is_scale:
        uniform = np.float32(1) + np.float32(0.25) * uniform
    else:
        uniform = np.float32(0.25) * uniform
    return uniform.reshape(shape)


def summary(tensors):
    """(count, 2): the norm of each tensor, and its product with numbers by the formula."""
    return np.array([
        [np.linalg.norm(t), np.dot(t.reshape(-1), values(number, t.size).astype(np.float64))] for number, t in enumerate(tensors)])


def network(name, model, features):
    """The golden of `model`; `features` maps frames to the maps before the pooling."""
    import torch

    model = model.double()
    tensors = {k: v for k, v in model.state_dict().items() if not k.endswith("num_batches_tracked") and not is_classifier(k)}
    state = {k: torch.from_numpy(weights(n, k, tuple(v.shape)).astype(np.float64)) for n, (k, v) in enumerate(tensors.items())}
    frames = torch.from_numpy(values(100_000, int(np.prod(CHANNELS_FIRST))).astype(np.float64)).reshape(CHANNELS_FIRST)
    golden = Golden(f"network_{name}", seed=0)
    golden.notes["tensors"] = [[k, list(v.shape)] for k, v in tensors.items()]
    golden.notes["size"] = list(SIZE)
    parameters = {k: v for k, v in model.named_parameters() if k in tensors}
    is_normalized = len(parameters) < len(tensors)

    def start(is_training):
        model.load_state_dict(state, strict=False)
        model.train(is_training)
        for module in model.modules():
            if isinstance(module, (torch.nn.Dropout, torch.nn.Dropout2d)) or type(module).__name__ == "StochasticDepth":
                module.eval()
        model.zero_grad()

    for mode in ("frozen", "batch") if is_normalized else ("frozen",):
        start(mode == "batch")
        output = features(model, frames).mean((2, 3))
        loss = (output * torch.from_numpy(values(100_001, output.numel()).astype(np.float64)).reshape(output.shape)).sum()
        loss.backward()
        golden.add(f"{mode}/features", output)
        golden.add(f"{mode}/gradients", summary([p.grad.numpy() for p in parameters.values()]))
        if mode == "batch":
            after = model.state_dict()
            golden.add("batch/moving", summary([after[k].numpy() for k in tensors if k not in parameters]))
    start(True)
    means = features(model, frames).mean((2, 3)).reshape(len(LABELS), -1, output.shape[1]).mean(1)
    # (classes, features) and (classes).
    head = [values(100_002, CLASSES * output.shape[1]).reshape(CLASSES, -1) / np.sqrt(output.shape[1]), values(100_003, CLASSES)]
    head = [torch.nn.Parameter(torch.from_numpy(np.asarray(v, dtype=np.float32).astype(np.float64))) for v in head]
    loss = torch.nn.functional.cross_entropy(means @ head[0].T + head[1], torch.tensor(LABELS))
    loss.backward()
    stepped = [*parameters.values(), *head]
    before = [p.detach().clone() for p in stepped]
    torch.optim.NAdam(stepped, **NADAM).step()
    golden.add("step/loss", loss.reshape(1))
    golden.add("step/changes", summary([(p - b).detach().numpy() for p, b in zip(stepped, before)]))
    return golden


def is_classifier(name):
    return name.split(".")[0] in ("classifier", "fc", "_fc")


def torchvision():
    """The module, whose own operators, none of which a classifier uses, may have been built for another torch."""
    import torch

    operators = torch.library.Library("torchvision", "FRAGMENT")
    for name in ("nms", "qnms"):
        try:
            operators.define(f"{name}(Tensor boxes, Tensor scores, float iou_threshold) -> Tensor")
        except RuntimeError:
            pass
    import torchvision as module

    return module


def makers():
    """(name, a function that makes the golden) of every network."""
    models = torchvision().models

    def resnet(model, x):
        x = model.maxpool(model.relu(model.bn1(model.conv1(x))))
        return model.layer4(model.layer3(model.layer2(model.layer1(x))))

    def vision(name, features):
        return name, lambda: network(name, getattr(models, name)(weights=None), features)

    yield from (vision(name, resnet) for name in ("resnet18", "resnet34", "resnet50", "resnet101"))
    for name in ("mobilenet_v2", "mobilenet_v3_small", "mobilenet_v3_large", "efficientnet_b0", "efficientnet_b1", "efficientnet_b2",
                 "efficientnet_b3", "vgg11", "vgg13", "vgg16", "vgg19", "vgg11_bn", "vgg13_bn", "vgg16_bn", "vgg19_bn"):
        yield vision(name, lambda model, x: model.features(x))
    for number in range(5):
        yield f"efficientnet_lite{number}", lambda number=number: network(
            f"efficientnet_lite{number}", lite(number), lambda model, x: model.extract_features(x))
    for name, model in [*((f"tf_efficientnet_b{number}",) * 2 for number in range(4)), ("timm_efficientnet_lite0", "efficientnet_lite0")]:
        yield name, lambda name=name, model=model: network(name, timm(model), lambda model, x: model.forward_features(x))


def timm(name):
    """timm's model; those from TensorFlow with Keras's momentum of the moving statistics, which timm leaves at PyTorch's."""
    torchvision()
    import timm as module
    import torch

    model = module.create_model(name, pretrained=False)
    for layer in model.modules():
        if isinstance(layer, torch.nn.BatchNorm2d) and name.startswith("tf_"):
            layer.momentum = 0.01
    return model


def lite(number):
    """The model of the package efficientnet-lite-pytorch, whose padding follows the size of the frames."""
    import efficientnet_lite_pytorch
    from efficientnet_lite_pytorch import utils

    blocks, parameters = utils.get_model_params(f"efficientnet-lite{number}", {"image_size": list(SIZE)})
    model = efficientnet_lite_pytorch.EfficientNet(blocks, parameters)
    for module in model.modules():
        # Stochastic depth is left out here.
        if type(module).__name__ == "MBConvBlock":
            forward = module.forward
            module.forward = lambda x, drop_connect_rate=None, forward=forward: forward(x)
    return model


def write(folder):
    import torch

    # PyTorch computes depthwise convolutions in double precision channel by channel, which threads only slow down.
    torch.set_num_threads(1)
    for _, make in makers():
        make().save(folder, environment.installed(PACKAGES))
