"""PyTorch: the classifier as its users run it, in the ways that are measured."""

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


def encode(options):
    """VGG16 and pooling over frames."""
    cnn = ordered(network.cnn_module(set_up(options)).eval(), options)
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
    """A whole training step with VGG16 trainable."""
    model = ordered(network.Classifier(set_up(options), options.classes), options)
    measure_steps(model, images(options.batch * options.frames, options), options)


def head(options):
    """Training steps of the head on cached features."""
    model = network.Head(set_up(options), programs.FEATURES, options.classes)
    measure_steps(model, torch.rand(options.batch, options.frames, programs.FEATURES), options)


if __name__ == "__main__":
    programs.start({"encode": encode, "step": step, "head": head})
