"""PyTorch: VGG16 and pooling over frames."""

import common
import torch
import torch._inductor.config
import torch_network


def main():
    options = common.parse()
    torch_network.set_up(options)
    cnn = torch_network.ordered(torch_network.vgg16().eval(), options)
    frames = torch_network.images(options.frames, options)
    if options.mode == "compile":
        # Weights as constants, packed once; this takes no_grad, not inference_mode.
        torch._inductor.config.freezing = True
        cnn = torch.compile(cnn)
    with torch.no_grad() if options.mode == "compile" else torch.inference_mode():
        common.measure(lambda: cnn(frames))


if __name__ == "__main__":
    main()
