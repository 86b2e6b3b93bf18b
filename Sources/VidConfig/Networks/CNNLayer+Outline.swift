import VidSystem

// What the configuration's checks know of a network: the names of its layers and the sizes of its maps.

extension CNNLayer {
    /// The layers with a name for each that has none: its type and a number, counted through the network, such as `conv2d_1`.
    static func naming(_ layers: [CNNLayer]) -> [CNNLayer] {
        var counts: [String: Int] = [:]
        return naming(layers, &counts)
    }

    private static func naming(_ layers: [CNNLayer], _ counts: inout [String: Int]) -> [CNNLayer] {
        layers.map { layer in
            var layer = layer
            if case .residual(var options) = layer {
                options.shortcut = naming(options.shortcut, &counts)
                options.layers = naming(options.layers, &counts)
                layer = .residual(options)
            }
            guard layer.name == nil else { return layer }
            counts[layer.type, default: 0] += 1
            layer.name = "\(layer.type)_\(counts[layer.type, default: 0])"
            return layer
        }
    }

    /// The names of the layer, which must have one, and of those within it.
    var allNames: [String] {
        guard case .residual(let options) = self else { return trainedNames + (trainedNames.isEmpty ? [name ?? ""] : []) }
        return options.shortcut.flatMap(\.allNames) + options.layers.flatMap(\.allNames) + [options.name ?? ""]
    }

    /// The names that `trainable` may have: of the layers with parameters, in the order in which they are trained.
    var trainedNames: [String] {
        let name = name ?? ""
        return switch self {
        case .convolution, .depthwiseConvolution, .batchNormalization: [name]
        case .separableConvolution: CNNLayer.separableNames(name)
        case .squeezeExcite: CNNLayer.squeezeNames(name)
        case .residual(let options): options.shortcut.flatMap(\.trainedNames) + options.layers.flatMap(\.trainedNames)
        case .activation, .maxPooling, .averagePooling, .zeroPadding: []
        }
    }

    /// The names of a separable convolution's two parts.
    package static func separableNames(_ name: String) -> [String] { ["\(name)_depthwise", "\(name)_pointwise"] }

    /// The names of the two 1x1 convolutions of a squeeze-and-excitation.
    package static func squeezeNames(_ name: String) -> [String] { ["\(name)_reduce", "\(name)_expand"] }
}

// MARK: - Sizes

/// The extents of a frame's maps.
package struct MapSize: Sendable, Equatable, CustomStringConvertible {
    package var rows: Int
    package var columns: Int
    package var channels: Int

    package init(rows: Int, columns: Int, channels: Int) {
        self.rows = rows
        self.columns = columns
        self.channels = channels
    }

    package var description: String { "\(rows)x\(columns)x\(channels)" }
}

extension CNNLayer {
    /// The size of the maps behind the layer.
    ///
    /// - Throws: `.badData` with the layer and what does not fit.
    func output(_ input: MapSize) throws(VidclassError) -> MapSize {
        switch self {
        case .convolution(let options):
            guard input.channels % options.groups == 0, options.filters % options.groups == 0 else {
                throw misfit("\(input.channels) channels and \(options.filters) filters cannot be cut into \(options.groups) groups")
            }
            var output = try windows(input, options.kernel, options.strides, options.padding)
            output.channels = options.filters
            return output
        case .separableConvolution(let options):
            var output = try windows(input, options.kernel, options.strides, options.padding)
            output.channels = options.filters
            return output
        case .depthwiseConvolution(let options): return try windows(input, options.kernel, options.strides, options.padding)
        case .maxPooling(let options), .averagePooling(let options):
            return try windows(input, options.pool, options.strides ?? options.pool, options.padding)
        case .zeroPadding(let options):
            return MapSize(
                rows: input.rows + 2 * options.padding.rows, columns: input.columns + 2 * options.padding.columns, channels: input.channels)
        case .batchNormalization, .activation, .squeezeExcite: return input
        case .residual(let options):
            let (inner, shortcut) = (try CNNLayer.output(of: options.layers, input), try CNNLayer.output(of: options.shortcut, input))
            guard inner == shortcut else {
                throw misfit(
                    "its layers make maps of \(inner) from \(input), but its shortcut \(shortcut); both must be equal: give the shortcut a "
                        + "conv2d with the same filters and strides")
            }
            return inner
        }
    }

    static func output(of layers: [CNNLayer], _ input: MapSize) throws(VidclassError) -> MapSize {
        var size = input
        for layer in layers { size = try layer.output(size) }
        return size
    }

    private func windows(_ input: MapSize, _ kernel: MapExtent, _ strides: MapExtent, _ padding: MapPadding) throws(VidclassError)
        -> MapSize
    {
        MapSize(
            rows: try windows(input.rows, kernel.rows, strides.rows, padding, "rows", input),
            columns: try windows(input.columns, kernel.columns, strides.columns, padding, "columns", input), channels: input.channels)
    }

    private func windows(_ extent: Int, _ kernel: Int, _ stride: Int, _ padding: MapPadding, _ axis: String, _ input: MapSize)
        throws(VidclassError) -> Int
    {
        if padding == .same { return (extent + stride - 1) / stride }
        let zeros = padding == .symmetric ? 2 * (kernel / 2) : 0
        guard extent + zeros >= kernel else {
            throw misfit("its window has \(kernel) \(axis), more than maps of \(input) have")
        }
        return (extent + zeros - kernel) / stride + 1
    }

    private func misfit(_ reason: String) -> VidclassError { VidclassError(.badData, "layer \(name ?? type): \(reason)") }
}
