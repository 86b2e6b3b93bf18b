"""PyTorch: a whole training step with VGG16 trainable."""

import common
import torch_network


def main():
    options = common.parse()
    torch_network.set_up(options)
    model = torch_network.ordered(torch_network.Classifier(options.frames, options.classes), options)
    batch = torch_network.images(options.batch * options.frames, options)
    common.measure(torch_network.training_step(model, batch, options))


if __name__ == "__main__":
    main()
