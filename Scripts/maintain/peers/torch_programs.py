"""PyTorch: the classifier as its users run it, in the ways that are measured.

The frame network is the module that `vidclass export` writes, with its activations in place as in torchvision's networks.
"""

import re
import sys
import types

import torch
import torch._inductor.config
from maintain import torch_network as network

from . import programs


def set_up(options):
    torch.set_num_threads(options.threads)
    torch.manual_seed(1)
    # Denormal numbers of an overfitted or dying network would slow it down for no fault of PyTorch's.
    torch.set_flush_denormal(True)
    return programs.classic(options)


def ordered(x, options):
    """A tensor or module of images in the memory order of the mode; torch.compile gets the faster one."""
    return x if options.mode == "default" else x.to(memory_format=torch.channels_last)


def images(count, options):
    return ordered(torch.rand(count, 3, options.size, options.size), options)


def encoder(options):
    """The exported module, from frames (N, 3, rows, columns) to features (N, F), and F."""
    source = options.encoder.with_suffix(".py").read_text()
    # A preprocessing that changes nothing.
    source = re.sub(r" *x = x\.float\(\).*\n", "", source)
    # A value that gets the name of the one before it is that one's last use.
    source = re.sub(r"\b(\w+) = F\.(relu6?)\(\1\)", r"\1 = F.\2(\1, inplace=True)", source)
    module = types.ModuleType("exported")
    module.__file__ = str(options.encoder.with_suffix(".py"))
    # torch.compile looks for it there.
    sys.modules[module.__name__] = module
    exec(source, vars(module))
    cnn = ordered(module.load(), options)
    with torch.inference_mode():
        return cnn, cnn(images(1, options)).shape[1]


def encode(options):
    """The frame network and pooling."""
    set_up(options)
    cnn, _ = encoder(options)
    frames = images(options.frames, options)
    if options.mode == "compile":
        # Weights as constants, packed once; this takes no_grad, not inference_mode.
        torch._inductor.config.freezing = True
        cnn = torch.compile(cnn)
    with torch.no_grad() if options.mode == "compile" else torch.inference_mode():
        programs.measure(lambda: cnn(frames))


def measure_steps(model, batch, options):
    """Training steps on the same batch."""
    optimizer = torch.optim.NAdam(model.parameters(), lr=0.002, betas=(0.9, 0.999), eps=1e-8, momentum_decay=0.004, foreach=True)
    truth = torch.arange(options.batch) % options.classes
    compute, update = model, optimizer.step
    if options.mode == "compile":
        compute, update = torch.compile(model), torch.compile(optimizer.step)

    def one_step():
        optimizer.zero_grad(set_to_none=True)
        torch.nn.functional.cross_entropy(compute(batch), truth).backward()
        update()

    programs.measure(one_step)


def step(options):
    """A whole training step, every layer trainable; batch normalizations take the statistics of all frames."""
    model = set_up(options)
    classifier = network.Classifier(*encoder(options), model, options.classes).train()
    measure_steps(classifier, images(options.batch * options.frames, options), options)


def head(options):
    """Training steps of the head on cached features."""
    model = network.Head(set_up(options), programs.FEATURES, options.classes)
    measure_steps(model, torch.rand(options.batch, options.frames, programs.FEATURES), options)


if __name__ == "__main__":
    programs.start({"encode": encode, "step": step, "head": head})
