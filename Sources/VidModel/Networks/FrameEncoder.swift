import VidConfig
import VidTensor

/// A network applied to every frame by itself: Keras's `TimeDistributed(CNN -> pooling)`.
///
/// Frames (N, H, W, C) become features (N, F), or maps (N, H', W', C'). Nothing is kept between the passes: `encode` works
/// through the frames a few at a time in two buffers that the layers write in turns, and `backward` runs the frames again,
/// a chunk at a time, keeping what the gradients need. So memory is bounded by the chunk and not by N. Neither the chunk
/// nor the number of threads shows in the bits of features and gradients.
package struct FrameEncoder: Sendable {
    package let layers: [any FrameLayer]
    /// The shape of a frame.
    package let inputShape: Shape
    /// The shape of each layer's output for one frame.
    package let shapes: [Shape]
    /// The index of the first layer that is trained, where gradients end; `layers.count` when all are frozen.
    package let firstTrainable: Int

    package var outputShape: Shape { shapes[shapes.count - 1] }
    package var isTrainable: Bool { firstTrainable < layers.count }

    /// Any network of frame layers.
    package init(layers: [any FrameLayer], inputShape: Shape) {
        precondition(!layers.isEmpty, "an encoder without layers")
        self.layers = layers
        self.inputShape = inputShape
        var shapes: [Shape] = []
        for layer in layers { shapes.append(layer.outputShape(shapes.last ?? inputShape)) }
        self.shapes = shapes
        firstTrainable = layers.firstIndex { $0.isTrainable } ?? layers.count
    }

    /// The CNN of a configuration with its pooling, for frames of shape (rows, columns, channels); parameters below `cnn/`.
    package init(_ configuration: CNNConfiguration, input: InputConfiguration, layout: inout ParameterLayout) throws {
        let shape: Shape = [input.rows, input.columns, input.channels]
        var layers = try VGG.layers(
            configuration.architecture, input: shape, trainable: configuration.trainable, convolution: configuration.convolution,
            layout: &layout)
        switch configuration.pooling {
        case .average: layers.append(GlobalAveragePooling2D())
        case .max: layers.append(GlobalMaxPooling2D())
        case .flatten: layers.append(Flatten())
        }
        self.init(layers: layers, inputShape: shape)
    }

    /// The network cut before its first trained layer: what is frozen, which need be run only once on a frame, and the
    /// rest. Either is nil when it would have no layer.
    package func split() -> (frozen: FrameEncoder?, trained: FrameEncoder?) {
        guard firstTrainable > 0 else { return (nil, self) }
        guard isTrainable else { return (self, nil) }
        return (
            FrameEncoder(layers: Array(layers[..<firstTrainable]), inputShape: inputShape),
            FrameEncoder(layers: Array(layers[firstTrainable...]), inputShape: shapes[firstTrainable - 1])
        )
    }

    /// The lines of the table of layers.
    package var summaries: [LayerSummary] {
        zip(layers, shapes).map {
            LayerSummary(name: $0.name, type: $0.type, outputShape: $1, parameters: $0.parameterCount, isTrainable: $0.isTrainable)
        }
    }

    /// Bytes of scratch that `encode`, or with `gradients` also `backward`, needs at most besides the activations, whatever
    /// the number of frames.
    package func scratchBytes(workers: Int, gradients: Bool) -> Int {
        layers.indices.map { layers[$0].scratchBytes(inputShape(of: $0), workers: workers, gradients: gradients && $0 >= firstTrainable) }
            .max() ?? 0
    }

    /// The shape of the input of layer `index`, for one frame.
    package func inputShape(of index: Int) -> Shape { index == 0 ? inputShape : shapes[index - 1] }

    /// Bytes that a pass's `FilterCache` comes to hold, with `gradients` after a step of training.
    package func filterBytes(gradients: Bool) -> Int {
        layers.indices.reduce(0) { $0 + layers[$1].filterBytes(inputShape(of: $1), inputGradient: gradients && $1 > firstTrainable) }
    }
}
