import VidSystem

/// The convolutional network that turns each frame into a vector.
package struct CNNConfiguration: ConfigurationSection {
    package var architecture = Architecture.vgg16
    /// `"imagenet"`, the path of a weights file, or nil for random initial weights.
    package var weights: String? = "imagenet"
    package var trainable = Trainable.none
    package var pooling = CNNPooling.average
    package var convolution = ConvolutionChoice.auto

    package init() {}
}

/// Which layers of the CNN are trained.
package enum Trainable: ConfigurationValue {
    /// The whole CNN is frozen.
    case none
    case all
    /// The layer of this name and all after it.
    case from(String)
}

/// How a frame's last feature maps become its feature vector.
package enum CNNPooling: String, Sendable, Equatable, CaseIterable {
    case average
    case max
    case flatten
}

/// The algorithm that computes the convolutions.
package enum ConvolutionChoice: String, Sendable, Equatable, CaseIterable {
    /// The faster algorithm for each layer's shape.
    case auto
    case im2col
    /// Winograd's F(4x4, 3x3) wherever it applies.
    case winograd
}

// MARK: - Table

extension CNNConfiguration {
    package static let fields: [ConfigurationField<Self>] = [
        .init(
            "architecture", \.architecture, Architecture.codec,
            "The network by name, by the filters of its 3x3 convolutions (each block ends in a 2x2 max pooling), or layer by layer."),
        .init(
            "weights", \.weights, .nullable(.text("\"imagenet\" or the path of a weights file")),
            "Where the initial weights come from; null: random."),
        .init("trainable", \.trainable, Trainable.codec, "Which layers are trained: none, all, or the named one and those after it."),
        .init("pooling", \.pooling, .word(), "How a frame's last feature maps become its feature vector."),
        .init(
            "convolution", \.convolution, .word(),
            "The algorithm of the convolutions; auto: the faster one for each layer's shape. Results differ in the last digits only."),
    ]
}

extension Trainable {
    package static var codec: ConfigurationCodec<Trainable> {
        let summary = "true, false or the name of the first layer to train such as \"block5_conv1\""
        let schema: JSONNode = [
            "anyOf": [["type": "boolean"], ["type": "string", "pattern": "^[A-Za-z0-9_.-]{1,110}$"]]
        ]
        return ConfigurationCodec(.leaf(schema: schema, summary: summary)) { node, path throws(ConfigurationFault) in
            switch node.value {
            case .bool(let all): return all ? .all : .none
            case .string(let name): return .from(name)
            default: throw .mismatch(path, expected: summary, found: node)
            }
        } encode: { trainable in
            switch trainable {
            case .none: .bool(false)
            case .all: .bool(true)
            case .from(let name): .string(name)
            }
        }
    }
}
