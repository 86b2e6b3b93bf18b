import VidConfig
import VidModel
import VidSystem
import VidTensor

extension FrameNode {
    /// The operations of a graph of layers; a layer's own activation becomes an operation behind it.
    ///
    /// - Throws: `.badData` for a layer that no format has.
    package static func nodes(of graph: NetworkGraph, _ store: ParameterStore, of input: InputConfiguration) throws -> [FrameNode] {
        var nodes: [FrameNode] = []
        // The node that has each layer's output.
        var places: [Int] = []
        func place(_ index: Int) -> Int { index < 0 ? frame : places[index] }
        for (index, node) in graph.nodes.enumerated() {
            let (layer, shape, inputShape) = (node.layer, graph.shapes[index], graph.inputShape(of: index))
            if input.features != nil, layer is Flatten {
                // A vector is flat in every format.
                places.append(frame)
                continue
            }
            let (operation, activation) = try FrameOperation.of(layer, inputShape, store)
            nodes.append(
                FrameNode(name: layer.name, operation: operation, inputs: node.inputs.map(place), inputShape: inputShape, shape: shape))
            if activation != .linear {
                nodes.append(
                    FrameNode(
                        name: "\(layer.name)_\(activation)", operation: .activation(activation), inputs: [nodes.count - 1],
                        inputShape: shape,
                        shape: shape))
            }
            places.append(nodes.count - 1)
        }
        return nodes
    }
}

extension FrameOperation {
    /// A layer's operation, and the activation of its output.
    fileprivate static func of(
        _ layer: any NetworkLayer, _ input: Shape, _ store: ParameterStore
    ) throws -> (FrameOperation, ActivationKind) {
        let relu: ActivationKind = layer.hasReLU ? .relu : .linear
        switch layer {
        case let layer as Conv2D:
            let window = MapWindow(
                (layer.kernelRows, layer.kernelColumns), strides: (layer.strideRows, layer.strideColumns), layer.padding, input: input)
            return (
                .convolution(
                    kernel: store.exported(layer.kernel), bias: layer.bias.map(store.exported), window, groups: layer.groups), relu
            )
        case let layer as DepthwiseConv2D:
            let kernel = store.exported(layer.kernel)
            return (
                .convolution(
                    kernel: kernel.reshaped([kernel.shape[0], kernel.shape[1], 1, kernel.shape[2]]), bias: layer.bias.map(store.exported),
                    MapWindow(layer.kernelSize, strides: layer.stride, layer.padding, input: input), groups: layer.channels), .linear
            )
        case let layer as MapNormalization:
            let parameters = layer.parameters
            return (
                .normalization(
                    ExportedNormalization(
                        gamma: store.exported(parameters.gamma), beta: store.exported(parameters.beta),
                        mean: store.exported(parameters.movingMean), variance: store.exported(parameters.movingVariance),
                        epsilon: parameters.epsilon)), layer.activation
            )
        case let layer as MapActivationLayer: return (.activation(layer.kind), .linear)
        case let layer as MaxPool2D:
            return (.maximum(MapWindow(layer.pool.extents, strides: layer.stride.extents, layer.padding, input: input)), .linear)
        case let layer as AveragePooling2D:
            let window = MapWindow(layer.pool.extents, strides: layer.stride.extents, layer.padding, input: input)
            return (.average(window, countsPadding: layer.countsPadding), .linear)
        case let layer as ZeroPadding2D: return (.zeroPadding(rows: layer.rows, columns: layer.columns), .linear)
        case let layer as GlobalAveragePooling2D: return (.globalAverage(keepsDimensions: layer.keepsDimensions), .linear)
        case is GlobalMaxPooling2D: return (.globalMaximum, .linear)
        case is Flatten: return (.flatten, .linear)
        case is Add: return (.add, relu)
        case is Multiply: return (.multiply, .linear)
        case let layer as Normalization:
            return (.standardization(mean: store.exported(layer.mean), deviation: store.exported(layer.deviation)), .linear)
        default:
            throw VidclassError(.badData, "the layer \(layer.name) (\(layer.type)) has no counterpart in other programs' formats")
        }
    }
}

extension PoolingGeometry.Pair {
    fileprivate var extents: (rows: Int, columns: Int) { (rows, columns) }
}
