import VidSystem

/// The layers of the CNN.
package enum Architecture: ConfigurationValue {
    case named(NamedArchitecture)
    /// 3x3 same-padded convolutions with ReLU and so many filters, a 2x2 max pooling after each block.
    case blocks([[Int]])
    case layers([CNNLayer])

    package static let vgg11 = Architecture.named(.vgg11)
    package static let vgg13 = Architecture.named(.vgg13)
    package static let vgg16 = Architecture.named(.vgg16)
    package static let vgg19 = Architecture.named(.vgg19)

    /// The layers, each with a name.
    package var layers: [CNNLayer] {
        switch self {
        case .named(let network): network.layers
        case .blocks(let blocks): VGG.layers(blocks)
        case .layers(let layers): CNNLayer.naming(layers)
        }
    }

    /// The filters of a VGG's convolutions, block by block; nil for other networks.
    package var blocks: [[Int]]? {
        switch self {
        case .named(let network): network.blocks
        case .blocks(let blocks): blocks
        case .layers: nil
        }
    }

    /// `vgg16`, or nil for a network of the user's own.
    package var name: String? { if case .named(let network) = self { network.rawValue } else { nil } }

    /// `vgg16`, the filters as in `blocks-32-32+64-64`, or `layers`; also part of a file's name.
    package var label: String {
        switch self {
        case .named(let network): network.rawValue
        case .blocks(let blocks): "blocks-" + blocks.map { $0.map(String.init).joined(separator: "-") }.joined(separator: "+")
        case .layers: "layers"
        }
    }
}

/// The networks that have a name.
package enum NamedArchitecture: String, Sendable, Equatable, CaseIterable {
    case vgg11, vgg13, vgg16, vgg19
    case vgg11BN = "vgg11_bn"
    case vgg13BN = "vgg13_bn"
    case vgg16BN = "vgg16_bn"
    case vgg19BN = "vgg19_bn"
    case resnet18, resnet34, resnet50, resnet101
    case resnet50Keras = "resnet50_keras"
    case mobilenetV2 = "mobilenet_v2"
    case mobilenetV2Keras = "mobilenet_v2_keras"
    case mobilenetV3Small = "mobilenet_v3_small"
    case mobilenetV3Large = "mobilenet_v3_large"
    case efficientnetB0 = "efficientnet_b0"
    case efficientnetB1 = "efficientnet_b1"
    case efficientnetB2 = "efficientnet_b2"
    case efficientnetB3 = "efficientnet_b3"
    case tfEfficientnetB0 = "tf_efficientnet_b0"
    case tfEfficientnetB1 = "tf_efficientnet_b1"
    case tfEfficientnetB2 = "tf_efficientnet_b2"
    case tfEfficientnetB3 = "tf_efficientnet_b3"
    case efficientnetLite0 = "efficientnet_lite0"
    case efficientnetLite1 = "efficientnet_lite1"
    case efficientnetLite2 = "efficientnet_lite2"
    case efficientnetLite3 = "efficientnet_lite3"
    case efficientnetLite4 = "efficientnet_lite4"
    case timmEfficientnetLite0 = "timm_efficientnet_lite0"

    package var layers: [CNNLayer] {
        switch self {
        case .vgg11, .vgg13, .vgg16, .vgg19: VGG.layers(blocks ?? [])
        case .vgg11BN: VGG.layers(VGG.a, isNormalized: true)
        case .vgg13BN: VGG.layers(VGG.b, isNormalized: true)
        case .vgg16BN: VGG.layers(VGG.d, isNormalized: true)
        case .vgg19BN: VGG.layers(VGG.e, isNormalized: true)
        case .resnet18: ResNet.layers(.basic, [2, 2, 2, 2])
        case .resnet34: ResNet.layers(.basic, [3, 4, 6, 3])
        case .resnet50: ResNet.layers(.bottleneck, [3, 4, 6, 3])
        case .resnet101: ResNet.layers(.bottleneck, [3, 4, 23, 3])
        case .resnet50Keras: ResNet.layers(.kerasBottleneck, [3, 4, 6, 3])
        case .mobilenetV2: MobileNet.v2(isKeras: false)
        case .mobilenetV2Keras: MobileNet.v2(isKeras: true)
        case .mobilenetV3Small: MobileNet.v3Small()
        case .mobilenetV3Large: MobileNet.v3Large()
        case .efficientnetB0: EfficientNet.layers(.torch, width: 1, depth: 1)
        case .efficientnetB1: EfficientNet.layers(.torch, width: 1, depth: 1.1)
        case .efficientnetB2: EfficientNet.layers(.torch, width: 1.1, depth: 1.2)
        case .efficientnetB3: EfficientNet.layers(.torch, width: 1.2, depth: 1.4)
        case .tfEfficientnetB0: EfficientNet.layers(.tensorFlow, width: 1, depth: 1)
        case .tfEfficientnetB1: EfficientNet.layers(.tensorFlow, width: 1, depth: 1.1)
        case .tfEfficientnetB2: EfficientNet.layers(.tensorFlow, width: 1.1, depth: 1.2)
        case .tfEfficientnetB3: EfficientNet.layers(.tensorFlow, width: 1.2, depth: 1.4)
        case .efficientnetLite0: EfficientNet.layers(.lite, width: 1, depth: 1)
        case .efficientnetLite1: EfficientNet.layers(.lite, width: 1, depth: 1.1)
        case .efficientnetLite2: EfficientNet.layers(.lite, width: 1.1, depth: 1.2)
        case .efficientnetLite3: EfficientNet.layers(.lite, width: 1.2, depth: 1.4)
        case .efficientnetLite4: EfficientNet.layers(.lite, width: 1.4, depth: 1.8)
        case .timmEfficientnetLite0: EfficientNet.layers(.torchLite, width: 1, depth: 1)
        }
    }

    /// The filters of a plain VGG's convolutions.
    var blocks: [[Int]]? {
        switch self {
        case .vgg11: VGG.a
        case .vgg13: VGG.b
        case .vgg16: VGG.d
        case .vgg19: VGG.e
        default: nil
        }
    }
}

// MARK: - Names and sizes

extension Architecture {
    /// The names that `model.cnn.trainable` may have, first to last.
    package var trainedNames: [String] { layers.flatMap(\.trainedNames) }

    /// The size of the last maps for frames of size `input`.
    ///
    /// - Throws: `.badData` with the layer that does not fit.
    package func output(_ input: MapSize) throws(VidclassError) -> MapSize { try CNNLayer.output(of: layers, input) }

    /// The fewest rows and columns of a square frame that every layer fits; nil if the layers do not fit each other.
    package var smallestSide: Int? {
        let layers = layers
        func fits(_ side: Int) -> Bool {
            (try? CNNLayer.output(of: layers, MapSize(rows: side, columns: side, channels: 3))) != nil
        }
        var (low, high) = (1, 16384)
        guard fits(high) else { return nil }
        while low < high {
            let middle = (low + high) / 2
            if fits(middle) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}

// MARK: - JSON

extension Architecture {
    package static var codec: ConfigurationCodec<Architecture> {
        let names = NamedArchitecture.allCases.map(\.rawValue)
        let blocks = ConfigurationCodec<[[Int]]>.list(
            of: .list(of: .integer(1...65536), "an array of filter counts"), "an array of blocks such as [[32, 32], [64, 64]]")
        let layers = ConfigurationCodec<[CNNLayer]>.list(of: CNNLayer.codec, "an array of layers")
        let schema: JSONNode = [
            "anyOf": [["enum": .array(names.map { .string($0) })], object("blocks", blocksSchema), object("layers", layersSchema(layers))]
        ]
        let alternative = ", {\"blocks\": [[32, 32], [64, 64]]} or {\"layers\": [{\"type\": \"conv2d\", \"filters\": 32}, ...]}"
        return ConfigurationCodec(.leaf(schema: schema, summary: "one of \(quotedList(names))\(alternative)")) {
            node, path throws(ConfigurationFault) in
            guard let members = node.objectMembers else {
                guard let network = node.stringValue.flatMap(NamedArchitecture.init(rawValue:)) else {
                    throw unknownWord(node, among: names, orElse: alternative, path)
                }
                return .named(network)
            }
            if let other = members.first(where: { !["blocks", "layers"].contains($0.key) }) {
                throw unknownKey(other.key, among: ["blocks", "layers"], path)
            }
            guard members.count == 1, let member = members.first else {
                throw ConfigurationFault(
                    path, "expected one of the keys \"blocks\" and \"layers\", found \(members.isEmpty ? "neither" : "both")")
            }
            if member.key == "blocks" { return .blocks(try decodeBlocks(blocks, member.value, path.appending("blocks"))) }
            return .layers(try decodeLayers(layers, member.value, path.appending("layers")))
        } encode: { architecture in
            switch architecture {
            case .named(let network): .string(network.rawValue)
            case .blocks(let filters): ["blocks": blocks.encode(filters)]
            case .layers(let list): ["layers": layers.encode(list)]
            }
        }
    }

    private static func decodeBlocks(
        _ codec: ConfigurationCodec<[[Int]]>, _ node: JSONNode, _ path: ConfigurationPath
    ) throws(ConfigurationFault) -> [[Int]] {
        let filters = try codec.decode(node, path)
        if filters.isEmpty { throw ConfigurationFault(path, "expected at least one block, found an empty array") }
        if let empty = filters.firstIndex(of: []) {
            throw ConfigurationFault(path.appending(empty), "expected at least one filter count, found an empty array")
        }
        return filters
    }

    private static func decodeLayers(
        _ codec: ConfigurationCodec<[CNNLayer]>, _ node: JSONNode, _ path: ConfigurationPath
    ) throws(ConfigurationFault) -> [CNNLayer] {
        let layers = try codec.decode(node, path)
        if layers.isEmpty { throw ConfigurationFault(path, "expected at least one layer, found an empty array") }
        let names = CNNLayer.naming(layers).flatMap(\.allNames)
        if let index = names.indices.first(where: { names[..<$0].contains(names[$0]) }) {
            throw ConfigurationFault(path, "two layers are named \"\(names[index])\"; each needs a name of its own")
        }
        return layers
    }

    private static func object(_ key: String, _ schema: JSONNode) -> JSONNode {
        ["type": "object", "properties": .object([(key, schema)]), "required": [.string(key)], "additionalProperties": false]
    }

    private static var blocksSchema: JSONNode {
        let longest = JSONNode.integer(Int64(ConfigurationShape.longestList))
        return [
            "type": "array", "minItems": 1, "maxItems": longest,
            "items": [
                "type": "array", "minItems": 1, "maxItems": longest, "items": ["type": "integer", "minimum": 1, "maximum": 65536],
            ],
        ]
    }

    private static func layersSchema(_ layers: ConfigurationCodec<[CNNLayer]>) -> JSONNode {
        var schema: JSONNode = ["minItems": 1]
        for member in layers.shape.schema.objectMembers ?? [] { schema.set(member.key, member.value) }
        return schema
    }
}
