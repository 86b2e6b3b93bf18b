import VidSystem

/// The network: frames -> CNN on every frame -> recurrent layers over the frames -> hidden layers -> softmax.
package struct ModelConfiguration: ConfigurationSection {
    package var input = InputConfiguration()
    /// nil: no CNN; each frame is flattened, rows outermost and channels innermost, or is a vector already.
    package var cnn: CNNConfiguration? = CNNConfiguration()
    /// Layers over time, then over the final state where an lstm or gru gives one (`finalStateIndex`); if none does, the mean over
    /// time follows.
    package var recurrent: [RecurrentLayerConfiguration] = [.lstm(RecurrentOptions())]
    /// How the steps become the clip's vector where no recurrent layer gives a final state.
    package var poolingOverTime = PoolingOverTime.average
    /// Layers between the clip's vector and the softmax over the classes.
    package var hidden: [HiddenLayerConfiguration] = [.dense(DenseOptions())]

    package init() {}

    /// Whether an lstm or gru gives its final state, so that nothing is left to pool over time.
    package var hasFinalState: Bool { recurrent.finalStateIndex != nil }
}

/// How a sequence of vectors becomes one vector.
package enum PoolingOverTime: String, Sendable, Equatable, CaseIterable {
    /// The mean over the steps that count.
    case average
    /// All steps one after the other; those that do not count are zeros.
    case flatten
}

/// The size of a clip as the network sees it: frames of pixels, or vectors over time.
package struct InputConfiguration: ConfigurationSection {
    package var frames = 16
    package var channels = 3
    package var rows = 224
    package var columns = 224
    /// Numbers in each vector of a clip of vectors over time; nil: frames of pixels. With it, a frame is 1 row of so many columns with 1
    /// channel.
    package private(set) var features: Int?
    /// Whether vectors are standardized by mean and standard deviation of the training clips.
    package var standardize = true

    package init() {}

    /// Clips of `frames` vectors of `features` numbers.
    package init(frames: Int, features: Int, standardize: Bool = true) {
        self.frames = frames
        self.standardize = standardize
        setFeatures(features)
    }

    private mutating func setFeatures(_ count: Int) {
        (features, channels, rows, columns) = (count, 1, 1, count)
    }

    /// `16 frames of 224 x 224 x 3`, or `30 frames of 66 features`.
    package var text: String { "\(frames) frames of " + (features.map { "\($0) features" } ?? "\(rows) x \(columns) x \(channels)") }
}

extension ModelConfiguration {
    package static let fields: [ConfigurationField<Self>] = [
        .init("input", \.input, InputConfiguration.codec, "The size of a clip as the network sees it."),
        .init(
            "cnn", \.cnn, CNNConfiguration.optionalCodec,
            "The convolutional network applied to each frame; null: none, for frames that are flattened and for clips of vectors."),
        .init(
            "recurrent", \.recurrent, .list(of: RecurrentLayerConfiguration.codec, "an array of layers"),
            "Layers over the frames. The last lstm or gru returns its final state, unless a conv1d or attention follows it;"
                + " without a final state, model.pooling_over_time follows."),
        .init(
            "pooling_over_time", \.poolingOverTime, .word(),
            "How the frames' vectors become one vector where no layer of model.recurrent gives a final state. average: their mean; flatten: one after the other, with zeros for frames that do not count."
        ),
        .init(
            "hidden", \.hidden, .list(of: HiddenLayerConfiguration.codec, "an array of layers"),
            "Layers between the recurrent layers and the softmax over the classes."),
    ]
}

extension InputConfiguration {
    package static let fields: [ConfigurationField<Self>] = [
        .init("frames", \.frames, .integer(1...65536), "Frames sampled from each clip."),
        .init("channels", \.channels, .integer(1...64), "3 for colour, 1 for grey video and spectrograms."),
        .init("rows", \.rows, .integer(1...16384), "Height of a frame in pixels."),
        .init("columns", \.columns, .integer(1...16384), "Width of a frame in pixels."),
        .init(
            "features", \.features, .nullable(.integer(1...16384)),
            "Numbers in each vector, for clips that are vectors over time (.npy of (frames, features)) instead of pixels; replaces channels, rows and columns, and needs model.cnn null."
        ),
        .init(
            "standardize", \.standardize, .boolean,
            "With features: subtract each feature's mean over the training clips and divide by its standard deviation; both are kept in the checkpoint."
        ),
    ]

    /// Without `features`, its keys are not written; with it, those of pixels are not.
    package static var codec: ConfigurationCodec<Self> {
        let table = tableCodec
        return ConfigurationCodec(table.shape) { node, path throws(ConfigurationFault) in
            var input = try table.decode(node, path)
            let keys = (node.objectMembers ?? []).map(\.key)
            guard let features = input.features else {
                if keys.contains("standardize") {
                    throw ConfigurationFault(
                        path.appending("standardize"),
                        "only vectors are standardized, and model.input.features is not set; remove this key (data.preprocessing says how pixels are scaled)",
                        isAboutKey: true)
                }
                return input
            }
            if let key = pixelKeys.first(where: keys.contains) {
                throw ConfigurationFault(
                    path.appending(key),
                    "a clip of vectors (model.input.features) has no \(key); remove this key, or remove features for frames of pixels",
                    isAboutKey: true)
            }
            input.setFeatures(features)
            return input
        } encode: { input in
            let unused = input.features == nil ? ["features", "standardize"] : pixelKeys
            return .object((table.encode(input).objectMembers ?? []).filter { !unused.contains($0.key) }.map { ($0.key, $0.value) })
        }
    }

    private static let pixelKeys = ["channels", "rows", "columns"]
}
