import VidConfig
import VidTensor

/// The whole model: TimeDistributed(CNN + pooling) over the frames of a clip, then the head.
///
/// Frames (B x T, H, W, C) -> features (B, T, F) -> logits (B, classes). It owns the parameters; passes own the rest.
package final class Classifier {
    package let configuration: ModelConfiguration
    /// Labels in the order of the outputs.
    package let classes: [String]
    package let parameters: ParameterStore
    package let encoder: FrameEncoder
    /// The encoder's layers before its first trained one, and the rest; nil where there are none.
    package let frozen: FrameEncoder?
    package let trained: FrameEncoder?
    package let head: Head

    /// Builds the layers and lays out their parameters, all zero until `initialize` or a checkpoint fills them.
    package init(_ configuration: ModelConfiguration, classes: [String]) throws {
        var layout = ParameterLayout()
        encoder = try FrameEncoder(configuration.cnn, input: configuration.input, layout: &layout)
        (frozen, trained) = encoder.split()
        head = try Head(configuration, features: encoder.outputShape.count, classes: classes.count, &layout)
        guard layout.bytes <= Double(Machine.memoryBytes) else {
            throw VidclassError(
                .badData,
                "the model's parameters alone take \(Int(layout.bytes / 0x1p30) + 1) GiB, more memory than this machine has; use smaller layers"
            )
        }
        parameters = ParameterStore(layout)
        self.configuration = configuration
        self.classes = classes
    }

    /// Fills all parameters by their initialisers, from stream 0 of the seed.
    package func initialize(seed: UInt64) throws {
        var random = RandomGenerator(seed: seed, stream: 0)
        try parameters.initialize(&random)
    }

    /// T: frames a clip.
    package var frames: Int { configuration.input.frames }

    /// One frame: (H, W, C).
    package var frameShape: Shape { [configuration.input.rows, configuration.input.columns, configuration.input.channels] }

    /// F: features a frame.
    package var features: Int { encoder.outputShape.count }

    /// Whether any layer of the CNN is trained; if not, a clip's features never change.
    package var trainsCNN: Bool { trained != nil }

    /// What the trained part of the model takes of one frame: the frame itself, the maps behind the CNN's frozen layers, or
    /// behind a frozen CNN its features.
    package var trainedInputShape: Shape { trained?.inputShape ?? encoder.outputShape }

    /// All layers in order, for the start-up report and `inspect`.
    package var layers: [LayerSummary] { encoder.summaries + head.layers }
}
