import VidSystem

extension ConvolutionOptions {
    package static let fields: [ConfigurationField<Self>] =
        separableFields + [
            .init("groups", \.groups, .integer(1...65536), "Groups of channels and filters; each filter sees its group's channels only.")
        ]

    /// The keys that a separable convolution has, too.
    static let separableFields: [ConfigurationField<Self>] = [
        .init("name", \.name, .layerName, "The layer's name; null: its type with a number."),
        .init("filters", \.filters, .integer(1...65536), "Channels of the output."),
        .init("kernel", \.kernel, MapExtent.codec, "Rows and columns of the kernel."),
        .init("strides", \.strides, MapExtent.codec, "Rows and columns between neighbouring windows."),
        .init("padding", \.padding, .word(), "Zeros around the maps: same as in Keras, symmetric as in PyTorch, or none (valid)."),
        .init("use_bias", \.usesBias, .boolean, "Whether each filter adds a bias."),
        .init("activation", \.activation, .word(), "Activation of the output."),
    ]
}

extension DepthwiseConvolutionOptions {
    package static let fields: [ConfigurationField<Self>] = [
        .init("name", \.name, .layerName, "The layer's name; null: its type with a number."),
        .init("kernel", \.kernel, MapExtent.codec, "Rows and columns of the kernel."),
        .init("strides", \.strides, MapExtent.codec, "Rows and columns between neighbouring windows."),
        .init("padding", \.padding, .word(), "Zeros around the maps: same as in Keras, symmetric as in PyTorch, or none (valid)."),
        .init("use_bias", \.usesBias, .boolean, "Whether each channel adds a bias."),
        .init("activation", \.activation, .word(), "Activation of the output."),
    ]
}

extension MapNormalizationOptions {
    package static let fields: [ConfigurationField<Self>] = [
        .init("name", \.name, .layerName, "The layer's name; null: its type with a number."),
        .init("momentum", \.momentum, .number(.share), "Momentum of the moving mean and variance."),
        .init("epsilon", \.epsilon, .number(.above(0)), "Added to the variance."),
        .init("activation", \.activation, .word(), "Activation of the output."),
    ]
}

extension MapActivationOptions {
    package static let fields: [ConfigurationField<Self>] = [
        .init("name", \.name, .layerName, "The layer's name; null: its type with a number."),
        .init("activation", \.activation, .word(), "The activation."),
    ]
}

extension MapPoolingOptions {
    package static let fields: [ConfigurationField<Self>] = [
        .init("name", \.name, .layerName, "The layer's name; null: its type with a number."),
        .init("pool", \.pool, MapExtent.codec, "Rows and columns of a window."),
        .init("strides", \.strides, .nullable(MapExtent.codec), "Rows and columns between neighbouring windows; null: those of a window."),
        .init("padding", \.padding, .word(), "Places around the maps, which never count: same, symmetric or none (valid)."),
    ]
}

extension ZeroPaddingOptions {
    package static let fields: [ConfigurationField<Self>] = [
        .init("name", \.name, .layerName, "The layer's name; null: its type with a number."),
        .init("padding", \.padding, MapExtent.codec, "Zeros above and below, and to the left and right."),
    ]
}

extension SqueezeExciteOptions {
    package static let fields: [ConfigurationField<Self>] = [
        .init("name", \.name, .layerName, "The layer's name; null: its type with a number."),
        .init(
            "filters", \.filters, .nullable(.integer(1...65536)),
            "Channels between the two 1x1 convolutions; null: a quarter of the input's."),
        .init("activation", \.activation, .word(), "Activation of the first convolution."),
        .init("gate", \.gate, .word(), "Activation of the second, which makes the factor of each channel."),
    ]
}

extension ResidualOptions {
    package static let fields: [ConfigurationField<Self>] = [
        .init("name", \.name, .layerName, "The sum's name; null: its type with a number."),
        .init("layers", \.layers, .list(of: CNNLayer.innerCodec, "an array of layers"), "The layers whose output is added to the input."),
        .init(
            "shortcut", \.shortcut, .list(of: CNNLayer.innerCodec, "an array of layers"),
            "Layers on the other way of the input to the sum; none: the input itself."),
        .init("activation", \.activation, .word(), "Activation of the sum."),
    ]
}

extension MapExtent {
    package static var codec: ConfigurationCodec<MapExtent> {
        let summary = "an integer from 1 to 255, or [rows, columns]"
        let number: JSONNode = ["type": "integer", "minimum": 1, "maximum": 255]
        let schema: JSONNode = ["anyOf": [number, ["type": "array", "minItems": 2, "maxItems": 2, "items": number]]]
        return ConfigurationCodec(.leaf(schema: schema, summary: summary)) { node, path throws(ConfigurationFault) in
            let numbers = (node.arrayElements ?? [node, node]).compactMap { $0.integerValue.flatMap(Int.init(exactly:)) }
            guard numbers.count == 2, node.arrayElements.map({ $0.count == 2 }) ?? true, numbers.allSatisfy({ (1...255).contains($0) })
            else {
                throw .mismatch(path, expected: summary, found: node)
            }
            return MapExtent(numbers[0], numbers[1])
        } encode: {
            $0.rows == $0.columns ? .integer(Int64($0.rows)) : [.integer(Int64($0.rows)), .integer(Int64($0.columns))]
        }
    }
}

extension ConfigurationCodec where Value == String? {
    /// A name that can be a part of a tensor's name, or null.
    static var layerName: Self {
        let summary = "a name of letters, digits, \"_\", \"-\" and \".\""
        let codec = ConfigurationCodec<String>(
            .leaf(schema: ["type": "string", "pattern": "^[A-Za-z0-9_.-]{1,100}$"], summary: summary)
        ) { node, path throws(ConfigurationFault) in
            guard let name = node.stringValue, (1...100).contains(name.utf8.count),
                name.utf8.allSatisfy({ byte in
                    let isLetter = (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
                    let isDigit = (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
                    return isLetter || isDigit || [UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: ".")].contains(byte)
                })
            else { throw .mismatch(path, expected: summary, found: node) }
            return name
        } encode: {
            .string($0)
        }
        return .nullable(codec)
    }
}

extension CNNLayer {
    package static var codec: ConfigurationCodec<Self> {
        .union(
            tag: "type",
            variants: innerVariants + [
                .init(
                    "residual", "The sum of some layers' output and their input.", wrap: { .residual($0) },
                    unwrap: { if case .residual(let options) = $0 { options } else { nil } })
            ], word: \.type)
    }

    /// The layers that a residual layer may contain, which are all but residual layers.
    static var innerCodec: ConfigurationCodec<Self> { .union(tag: "type", variants: innerVariants, word: \.type) }

    private static var innerVariants: [ConfigurationVariant<Self>] {
        [
            .init(
                "conv2d", "A convolution.", wrap: { .convolution($0) },
                unwrap: { if case .convolution(let options) = $0 { options } else { nil } }),
            .init(
                "depthwise_conv2d", "A convolution of each channel by itself.", wrap: { .depthwiseConvolution($0) },
                unwrap: { if case .depthwiseConvolution(let options) = $0 { options } else { nil } }),
            .init(
                "separable_conv2d", "A convolution of each channel by itself, then a 1x1 convolution.",
                initial: .separableConvolution(ConvolutionOptions()),
                fields: ConvolutionOptions.separableFields.map {
                    $0.lifted(into: { .separableConvolution($0) }) {
                        if case .separableConvolution(let options) = $0 { options } else { ConvolutionOptions() }
                    }
                }),
            .init(
                "batch_normalization", "Normalisation of each channel over frames and positions.", wrap: { .batchNormalization($0) },
                unwrap: { if case .batchNormalization(let options) = $0 { options } else { nil } }),
            .init(
                "activation", "An activation by itself.", wrap: { .activation($0) },
                unwrap: { if case .activation(let options) = $0 { options } else { nil } }),
            .init(
                "max_pooling2d", "The largest value of each window.", wrap: { .maxPooling($0) },
                unwrap: { if case .maxPooling(let options) = $0 { options } else { nil } }),
            .init(
                "average_pooling2d", "The mean of each window.", wrap: { .averagePooling($0) },
                unwrap: { if case .averagePooling(let options) = $0 { options } else { nil } }),
            .init(
                "zero_padding2d", "Zeros around the maps.", wrap: { .zeroPadding($0) },
                unwrap: { if case .zeroPadding(let options) = $0 { options } else { nil } }),
            .init(
                "squeeze_excite", "A factor for each channel, computed from the means of all channels.", wrap: { .squeezeExcite($0) },
                unwrap: { if case .squeezeExcite(let options) = $0 { options } else { nil } }),
        ]
    }

    /// The word at `type`.
    package var type: String {
        switch self {
        case .convolution: "conv2d"
        case .depthwiseConvolution: "depthwise_conv2d"
        case .separableConvolution: "separable_conv2d"
        case .batchNormalization: "batch_normalization"
        case .activation: "activation"
        case .maxPooling: "max_pooling2d"
        case .averagePooling: "average_pooling2d"
        case .zeroPadding: "zero_padding2d"
        case .squeezeExcite: "squeeze_excite"
        case .residual: "residual"
        }
    }

    /// The name that the configuration gives; nil for an automatic one.
    package var name: String? {
        get {
            var copy = self
            return copy.withName { $0 }
        }
        set { withName { $0 = newValue } }
    }

    private mutating func withName<Result>(_ body: (inout String?) -> Result) -> Result {
        func result<Options>(_ options: Options, _ path: WritableKeyPath<Options, String?>, _ wrap: (Options) -> CNNLayer) -> Result {
            var options = options
            defer { self = wrap(options) }
            return body(&options[keyPath: path])
        }
        return switch self {
        case .convolution(let options): result(options, \.name) { .convolution($0) }
        case .depthwiseConvolution(let options): result(options, \.name) { .depthwiseConvolution($0) }
        case .separableConvolution(let options): result(options, \.name) { .separableConvolution($0) }
        case .batchNormalization(let options): result(options, \.name) { .batchNormalization($0) }
        case .activation(let options): result(options, \.name) { .activation($0) }
        case .maxPooling(let options): result(options, \.name) { .maxPooling($0) }
        case .averagePooling(let options): result(options, \.name) { .averagePooling($0) }
        case .zeroPadding(let options): result(options, \.name) { .zeroPadding($0) }
        case .squeezeExcite(let options): result(options, \.name) { .squeezeExcite($0) }
        case .residual(let options): result(options, \.name) { .residual($0) }
        }
    }
}
