/// Which frames of a clip the model sees, here under the names that PyTorchVideo and MMAction2 made common.
///
/// One struct for all types: settings that do not belong to `type` keep their defaults and are not used.
package struct SamplingConfiguration: ConfigurationValue {
    package var type = SamplingType.uniform
    /// Every so many frames (consecutive).
    package var stride = 1
    /// Frames a second (fps).
    package var framesPerSecond = 8.0

    package init() {}

    package init(type: SamplingType) { self.type = type }

    /// Whether chance has a part in it while training.
    package var isRandom: Bool { type != .uniform }
}

package enum SamplingType: String, Sendable, Equatable, CaseIterable {
    /// The middles of as many equal stretches as there are frames.
    case uniform
    /// A frame at random of each stretch while training (Wang et al. 2016, TSN); the middle one otherwise.
    case random
    /// Frames `stride` apart from a start at random while training; from the middle of the clip otherwise.
    case consecutive
    /// As consecutive, but so far apart that there are `fps` a second, whatever the clip's own rate.
    case fps
}

// MARK: - Table

extension SamplingConfiguration {
    private static let fields: [(field: ConfigurationField<Self>, types: [SamplingType])] = [
        (.init("stride", \.stride, .integer(1...65536), "Frames from one that is taken to the next."), [.consecutive]),
        (.init("fps", \.framesPerSecond, .number(.above(0)), "Frames a second that are taken, whatever the clip's own rate."), [.fps]),
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
        case .random: "A frame at random of each stretch in training, its middle elsewhere."
        case .consecutive: "Neighbouring frames, from a start at random in training, from the middle of the clip elsewhere."
        case .fps: "Like consecutive, at a rate in time."
        }
    }
}
