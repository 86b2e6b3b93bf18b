"""PyTorch: training steps of the head on cached features."""

import common
import torch
import torch_network


def main():
    options = common.parse()
    torch_network.set_up(options)
    model = torch_network.Head(common.HEAD_FEATURES, options.classes)
    batch = torch.rand(options.batch, options.frames, common.HEAD_FEATURES)
    common.measure(torch_network.training_step(model, batch, options))


if __name__ == "__main__":
    main()
