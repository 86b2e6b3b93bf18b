"""The classifier in PyTorch, and the ways of running it that are measured."""

import argparse

import torch
from torch import nn

BLOCKS = [[64] * 2, [128] * 2, [256] * 3, [512] * 3, [512] * 3]


def vgg16() -> nn.Sequential:
    """VGG16 without its top and global average pooling, (N, 3, rows, columns) to (N, 512), random."""
    layers, channels = [], 3
    for block in BLOCKS:
        for filters in block:
            layers += [nn.Conv2d(channels, filters, 3, padding=1), nn.ReLU(inplace=True)]
            channels = filters
        layers.append(nn.MaxPool2d(2))
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten())


class Head(nn.Module):
    """LSTM, dense and logits on features (B, T, 512). PyTorch's LSTM has no hard sigmoid; the sigmoid costs it no more."""

    def __init__(self, features: int, classes: int):
        super().__init__()
        self.recurrent = nn.LSTM(features, 256, batch_first=True)
        self.hidden = nn.Linear(256, 1024)
        self.output = nn.Linear(1024, classes)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        states, _ = self.recurrent(features)
        return self.output(torch.relu(self.hidden(states[:, -1])))


class Classifier(nn.Module):
    """The whole on frames (B x T, 3, rows, columns), which keeps the channels-last order possible."""

    def __init__(self, frames: int, classes: int):
        super().__init__()
        self.frames = frames
        self.cnn = vgg16()
        self.head = Head(512, classes)

    def forward(self, frames: torch.Tensor) -> torch.Tensor:
        return self.head(self.cnn(frames).unflatten(0, (-1, self.frames)))


def set_up(options: argparse.Namespace) -> None:
    torch.set_num_threads(options.threads)
    torch.manual_seed(1)
    # Denormal numbers of an overfitted or dying network would slow it down for no fault of PyTorch's.
    torch.set_flush_denormal(True)


def images(count: int, options: argparse.Namespace) -> torch.Tensor:
    return ordered(torch.rand(count, 3, options.size, options.size), options)


def ordered(x, options: argparse.Namespace):
    """A tensor or module of images in the memory order of the mode; torch.compile gets the faster one."""
    return x if options.mode == "default" else x.to(memory_format=torch.channels_last)


def training_step(model: nn.Module, batch: torch.Tensor, options: argparse.Namespace):
    """A function that makes one training step on the same batch again and again."""
    optimizer = torch.optim.NAdam(model.parameters(), lr=0.002, betas=(0.9, 0.999), eps=1e-8, momentum_decay=0.004, foreach=True)
    truth = torch.arange(options.batch) % options.classes
    compute, update = model, optimizer.step
    if options.mode == "compile":
        compute, update = torch.compile(model), torch.compile(optimizer.step)

    def step():
        optimizer.zero_grad(set_to_none=True)
        nn.functional.cross_entropy(compute(batch), truth).backward()
        update()

    return step
