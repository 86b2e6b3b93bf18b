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

/// The convolutions of the CNN: 3x3, same-padded, each with a ReLU, and a 2x2 max pooling after each block.
package enum Architecture: ConfigurationValue {
    case vgg11
    case vgg13
    case vgg16
    case vgg19
    /// The filters of each convolution, block by block.
    case blocks([[Int]])

    /// The filters of each convolution, block by block (Simonyan and Zisserman 2014, table 1: A, B, D, E).
    package var filters: [[Int]] {
        switch self {
        case .vgg11: [[64], [128], [256, 256], [512, 512], [512, 512]]
        case .vgg13: [[64, 64], [128, 128], [256, 256], [512, 512], [512, 512]]
        case .vgg16: [[64, 64], [128, 128], [256, 256, 256], [512, 512, 512], [512, 512, 512]]
        case .vgg19: [[64, 64], [128, 128], [256, 256, 256, 256], [512, 512, 512, 512], [512, 512, 512, 512]]
        case .blocks(let blocks): blocks
        }
    }

    /// Keras's names of the convolutions, first to last: `block1_conv1`, `block1_conv2`, ...
    package var convolutionNames: [String] {
        filters.enumerated().flatMap { block, filters in
            filters.indices.map { "block\(block + 1)_conv\($0 + 1)" }
        }
    }
}

/// Which convolutions are trained.
package enum Trainable: ConfigurationValue {
    /// The whole CNN is frozen.
    case none
    case all
    /// The convolution of this name and all after it.
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
            "The network by name, or the filters of its 3x3 convolutions block by block; each block ends in a 2x2 max pooling."),
        .init(
            "weights", \.weights, .nullable(.text("\"imagenet\" or the path of a weights file")),
            "Where the initial weights come from; null: random."),
        .init("trainable", \.trainable, Trainable.codec, "Which convolutions are trained: none, all, or the named one and those after it."),
        .init("pooling", \.pooling, .word(), "How a frame's last feature maps become its feature vector."),
        .init(
            "convolution", \.convolution, .word(),
            "The algorithm of the convolutions; auto: the faster one for each layer's shape. Results differ in the last digits only."),
    ]
}

extension Architecture {
    /// The named networks, in the order in which they are listed.
    package static let named: [(name: String, architecture: Architecture)] = [
        ("vgg11", .vgg11), ("vgg13", .vgg13), ("vgg16", .vgg16), ("vgg19", .vgg19),
    ]

    /// `vgg16`, or nil for custom blocks.
    package var name: String? { Self.named.first { $0.architecture == self }?.name }

    /// `vgg16`, or the filters as in `blocks-32-32+64-64`; also part of a file's name.
    package var label: String {
        name ?? "blocks-" + filters.map { $0.map(String.init).joined(separator: "-") }.joined(separator: "+")
    }

    package static var codec: ConfigurationCodec<Architecture> {
        let names = named.map(\.name)
        let blocks = ConfigurationCodec<[[Int]]>.list(
            of: .list(of: .integer(1...65536), "an array of filter counts"), "an array of blocks such as [[32, 32], [64, 64]]")
        let blocksSchema: JSONNode = [
            "type": "object",
            "properties": [
                "blocks": [
                    "type": "array", "minItems": 1, "maxItems": .integer(ConfigurationShape.longestList),
                    "items": [
                        "type": "array", "minItems": 1, "maxItems": .integer(ConfigurationShape.longestList),
                        "items": ["type": "integer", "minimum": 1, "maximum": 65536],
                    ],
                ]
            ],
            "required": ["blocks"], "additionalProperties": false,
        ]
        let schema: JSONNode = ["anyOf": [["enum": .array(names.map { .string($0) })], blocksSchema]]
        let alternative = " or {\"blocks\": [[32, 32], [64, 64]]}"
        return ConfigurationCodec(.leaf(schema: schema, summary: "one of \(quotedList(names))\(alternative)")) {
            node, path throws(ConfigurationFault) in
            guard let members = node.objectMembers else {
                guard let network = named.first(where: { $0.name == node.stringValue }) else {
                    throw unknownWord(node, among: names, orElse: alternative, path)
                }
                return network.architecture
            }
            if let other = members.first(where: { $0.key != "blocks" }) { throw unknownKey(other.key, among: ["blocks"], path) }
            guard let member = members.first else { throw ConfigurationFault(path, "the key \"blocks\" is missing") }
            let path = path.appending("blocks")
            let filters = try blocks.decode(member.value, path)
            if filters.isEmpty { throw ConfigurationFault(path, "expected at least one block, found an empty array") }
            if let empty = filters.firstIndex(of: []) {
                throw ConfigurationFault(path.appending(empty), "expected at least one filter count, found an empty array")
            }
            return .blocks(filters)
        } encode: { architecture in
            architecture.name.map { .string($0) } ?? ["blocks": blocks.encode(architecture.filters)]
        }
    }
}

extension Trainable {
    package static var codec: ConfigurationCodec<Trainable> {
        let summary = "true, false or the name of the first convolution to train such as \"block5_conv1\""
        let schema: JSONNode = [
            "anyOf": [["type": "boolean"], ["type": "string", "pattern": "^block[1-9][0-9]*_conv[1-9][0-9]*$"]]
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
