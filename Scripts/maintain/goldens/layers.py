"""Goldens of the layers, the loss, the optimisers and whole trainings."""

from maintain import environment

from . import head, images, optimizers, training


def write(folder):
    makers = [images.convolution, images.pooling, head.dense, head.recurrent, head.time_mean, head.batch_normalization,
              head.layer_normalization, head.conv1d, head.attention, head.loss,
              optimizers.optimizers, *training.MAKERS]
    for make in makers:
        make().save(folder, environment.installed(environment.NETWORKS))
