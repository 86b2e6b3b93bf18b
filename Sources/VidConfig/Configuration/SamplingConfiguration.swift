/// Which frames of a clip the model sees, by the names that PyTorchVideo and MMAction2 use.
///
/// One struct for all types: settings that do not belong to `type` keep their defaults and are ignored.
package struct SamplingConfiguration: ConfigurationValue {
    package var type = SamplingType.uniform
    /// Distance between neighbouring frames of a sample (consecutive).
    package var stride = 1
    /// Frames a second (fps).
    package var framesPerSecond = 8.0

    package init() {}

    package init(type: SamplingType) { self.type = type }

    /// Whether training samples are random.
    package var isRandom: Bool { type != .uniform }
}

package enum SamplingType: String, Sendable, Equatable, CaseIterable {
    /// The middles of as many equal stretches as there are frames.
    case uniform
    /// A random frame of each stretch while training (Wang et al. 2016, TSN); the middle one otherwise.
    case random
    /// Frames `stride` apart from a random start while training; from the middle of the clip otherwise.
    case consecutive
    /// Like consecutive, but at `fps` frames per second, whatever the clip's own rate.
    case fps
}

// MARK: - Table

extension SamplingConfiguration {
    private static let fields: [(field: ConfigurationField<Self>, types: [SamplingType])] = [
        (.init("stride", \.stride, .integer(1...65536), "Distance between neighbouring frames of a sample."), [.consecutive]),
        (.init("fps", \.framesPerSecond, .number(.above(0)), "Frames per second of a sample, whatever the clip's own rate."), [.fps]),
    ]

    package static var codec: ConfigurationCodec<Self> {
        .union(
            tag: "type", defaultWord: SamplingConfiguration().type.rawValue,
            variants: SamplingType.allCases.map { type in
                ConfigurationVariant(
                    type.rawValue, type.documentation, initial: SamplingConfiguration(type: type),
                    fields: fields.filter { $0.types.contains(type) }.map(\.field))
            },
            word: { $0.type.rawValue })
    }
}

extension SamplingType {
    fileprivate var documentation: String {
        switch self {
        case .uniform: "The middles of as many equal stretches of the clip as the model has frames."
        case .random: "A random frame of each stretch in training, the middle one otherwise."
        case .consecutive: "Neighbouring frames, from a random start in training, from the middle of the clip otherwise."
        case .fps: "Like consecutive, at a given frame rate."
        }
    }
}
