import VidConfig
import VidSystem
import VidTensor

/// The whole model: TimeDistributed(CNN + pooling) over the frames of a clip, then the head.
///
/// Frames (B x T, H, W, C) -> features (B, T, F) -> logits (B, classes). It owns the parameters; a `Context` owns the rest.
package final class Classifier {
    package let configuration: ModelConfiguration
    /// Labels in the order of the outputs.
    package let classes: [String]
    package let parameters: ParameterStore
    package let encoder: FrameEncoder
    /// The encoder's layers before its first trained one, and the rest; either is nil if it has no layer.
    package let frozen: FrameEncoder?
    package let trained: FrameEncoder?
    package let head: Head

    /// Builds the layers and lays out their parameters, all zero until `initialize` or a checkpoint fills them.
    ///
    /// - Parameters:
    ///   - trainedCopies: the number of further buffers of the size of the trained parameters to come: gradients, moments.
    ///   - check: called with the layout before any memory is allocated; it may check that a checkpoint has all parameters.
    /// - Throws: `.badData` for a model that does not fit into memory, and any error of `check`.
    package init(
        _ configuration: ModelConfiguration, classes: [String], trainedCopies: Int = 0,
        check: (ParameterLayout) throws -> Void = { _ in }
    ) throws {
        let outline = try Outline(configuration, classes: classes.count)
        try check(outline.layout)
        let bytes = outline.layout.bytes + Double(trainedCopies) * outline.layout.trainedBytes
        guard bytes <= Double(Machine.grantableBytes) else {
            throw VidclassError(
                .badData,
                "the model's parameters take \(MemoryBudget.text(bytes))\(trainedCopies > 0 ? " with their gradients and moments" : ""), "
                    + "more memory than is available here; use smaller layers")
        }
        encoder = outline.encoder
        (frozen, trained) = encoder.split()
        head = outline.head
        parameters = try ParameterStore(outline.layout)
        self.configuration = configuration
        self.classes = classes
    }

    /// The table of layers of a model, without memory for its parameters.
    package static func layers(of configuration: ModelConfiguration, classes: Int) throws -> [LayerSummary] {
        let outline = try Outline(configuration, classes: classes)
        return outline.encoder.summaries + outline.head.layers
    }

    /// The layers, and the parameters that they will have.
    private struct Outline {
        let encoder: FrameEncoder
        let head: Head
        let layout: ParameterLayout

        init(_ configuration: ModelConfiguration, classes: Int) throws {
            var layout = ParameterLayout()
            encoder = try FrameEncoder(configuration, layout: &layout)
            // This check also keeps the head's sums and products from overflowing.
            let clip = Double(configuration.input.frames) * Double(encoder.outputShape.count) * Double(MemoryLayout<Float>.stride)
            guard clip <= Double(Machine.memoryBytes) else {
                throw VidclassError(
                    .badData,
                    "the features of one clip take \(MemoryBudget.text(clip)), more memory than this machine has; use fewer "
                        + "model.input.frames, smaller ones, "
                        + (configuration.cnn.map { "or another model.cnn.pooling than \($0.pooling.rawValue)" } ?? "or a model.cnn"))
            }
            head = try Head(configuration, features: encoder.outputShape.count, classes: classes, &layout)
            self.layout = layout
        }
    }

    /// Fills all parameters by their initialisers, from stream 0 of the seed.
    package func initialize(seed: UInt64) throws {
        var random = RandomGenerator(seed: seed, stream: 0)
        try parameters.initialize(&random)
    }

    /// T: frames a clip.
    package var frames: Int { configuration.input.frames }

    /// The shape of a frame: (H, W, C).
    package var frameShape: Shape { [configuration.input.rows, configuration.input.columns, configuration.input.channels] }

    /// F: features a frame.
    package var features: Int { encoder.outputShape.count }

    /// Whether any layer of the CNN is trained; if not, a clip's features never change.
    package var trainsCNN: Bool { trained != nil }

    /// The shape of the trained part's input for one frame: the frame itself, the maps behind the CNN's frozen layers, or the
    /// features of a frozen CNN.
    package var trainedInputShape: Shape { trained?.inputShape ?? encoder.outputShape }

    /// All layers in order, for the start-up report and `inspect`.
    package var layers: [LayerSummary] { encoder.summaries + head.layers }
}

// MARK: - A clip's feature

extension Classifier {
    /// D: the numbers of `meanFeature`, one for each channel of the CNN's last maps.
    package var meanFeatureCount: Int {
        let last = encoder.graph.nodes.count - 1
        return encoder.graph.nodes[last].layer is Flatten && configuration.input.features == nil
            ? encoder.inputShape(of: last).last : features
    }

    /// The mean of a clip's features (T, F) over its first `validFrames` frames; of flattened maps (T, H x W x C), also over their
    /// positions.
    package func meanFeature(_ features: Tensor, validFrames: Int) -> [Float] {
        precondition(features.shape == [frames, self.features], "features \(features.shape) of (\(frames), \(self.features))")
        let count = meanFeatureCount
        let rows = max(1, validFrames) * (self.features / count)
        var sums = [Double](repeating: 0, count: count)
        for row in 0..<rows {
            for channel in 0..<count { sums[channel] += Double(features.base[row * count + channel]) }
        }
        return sums.map { Float($0 / Double(rows)) }
    }
}

extension Preprocessing {
    /// The preprocessing that a configuration's `data.preprocessing` names, for frames of so many channels.
    package init(_ preprocessing: PreprocessingName, channels: Int) {
        self =
            switch preprocessing {
            case .caffe: .caffe(channels: channels)
            case .torch: .torch(channels: channels)
            case .unit: .unit(channels: channels)
            case .symmetric: .symmetric(channels: channels)
            case .none: .none(channels: channels)
            }
    }
}
