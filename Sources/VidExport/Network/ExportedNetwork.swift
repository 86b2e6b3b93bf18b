import VidConfig
import VidModel
import VidTensor

/// A classifier as a list of operations that every format knows: a graph over each frame, then a chain over a clip's features.
package struct ExportedNetwork {
    /// The operations on each frame, in an order in which each node comes after its inputs.
    package let frames: [FrameNode]
    /// F: features a frame.
    package let features: Int
    /// The operations on the features of a clip, (T, F), one after the other; the last one computes the logits.
    package let head: [HeadNode]
    /// The preprocessing of pixels; nil for vectors.
    package let preprocessing: Preprocessing?
    package let configuration: RunConfiguration
    /// Labels in the order of the scores.
    package let classes: [String]
    /// SHA-256 of the checkpoint, in hexadecimal digits.
    package let checkpoint: String

    package var input: InputConfiguration { configuration.model.input }

    /// Whether clips may be shorter than the model's frames, with their number of frames as another input.
    package var isMasked: Bool { configuration.data.shortClips == .mask }

    /// (H, W, C), or (F) for vectors.
    package var frameShape: Shape { input.features.map { [$0] } ?? [input.rows, input.columns, input.channels] }
}

/// An operation on each frame.
package struct FrameNode {
    /// The index that stands for the frame among a node's inputs.
    package static let frame = NetworkGraph.frames

    package let name: String
    package let operation: FrameOperation
    /// The nodes whose outputs it takes.
    package let inputs: [Int]
    /// The shape of the (first) input and of the output for one frame.
    package let inputShape: Shape
    package let shape: Shape
}

package enum FrameOperation {
    /// A kernel (rows, columns, channels / groups, filters), and a bias (filters).
    case convolution(kernel: ModelTensor, bias: ModelTensor?, MapWindow, groups: Int)
    case normalization(ExportedNormalization)
    case activation(ActivationKind)
    /// The padding never wins.
    case maximum(MapWindow)
    case average(MapWindow, countsPadding: Bool)
    /// Zeros above and below, and to the left and right.
    case zeroPadding(rows: Int, columns: Int)
    /// (H, W, C) -> (C), or (1, 1, C).
    case globalAverage(keepsDimensions: Bool)
    case globalMaximum
    /// Rows outermost, channels innermost.
    case flatten
    case add
    /// Maps times a factor for each channel.
    case multiply
    /// (x - mean) / deviation.
    case standardization(mean: ModelTensor, deviation: ModelTensor)
}

/// Gamma, beta, mean and variance of each channel.
package struct ExportedNormalization {
    package let gamma: ModelTensor
    package let beta: ModelTensor
    package let mean: ModelTensor
    package let variance: ModelTensor
    package let epsilon: Float
}

/// The windows of a convolution or pooling over maps, and the places around the maps.
package struct MapWindow {
    package let size: (rows: Int, columns: Int)
    package let strides: (rows: Int, columns: Int)
    package let top: Int
    package let bottom: Int
    package let left: Int
    package let right: Int

    package init(
        _ size: (rows: Int, columns: Int), strides: (rows: Int, columns: Int), _ padding: ConvolutionGeometry.Padding, input: Shape
    ) {
        self.size = size
        self.strides = strides
        let (rows, columns) = padding.axes
        (top, bottom) = MapWindow.places(rows, input[0], size.rows, strides.rows)
        (left, right) = MapWindow.places(columns, input[1], size.columns, strides.columns)
    }

    /// Places before and after an axis.
    private static func places(
        _ padding: ConvolutionGeometry.AxisPadding, _ input: Int, _ size: Int, _ stride: Int
    ) -> (before: Int, after: Int) {
        if case .zeros(let before, let after) = padding { return (before, after) }
        let (output, before) = padding.extent(input, kernel: size, stride: stride)
        return (before, max(0, (output - 1) * stride + size - input - before))
    }

    package var isPadded: Bool { top + bottom + left + right > 0 }
}

/// An operation on a clip's steps, (T, F), or on its vector, (F).
package struct HeadNode {
    package let name: String
    package let operation: HeadOperation
    /// Whether the input is one vector a step.
    package let takesSteps: Bool
    /// F of the input.
    package let features: Int
}

package enum HeadOperation {
    case recurrent(ExportedRecurrence)
    /// A kernel (K, F, filters), a bias (filters).
    case convolution(Conv1DOptions, kernel: ModelTensor, bias: ModelTensor?)
    case attention(ExportedAttention)
    case layerNormalization(ExportedLayerNormalization)
    case normalization(ExportedNormalization)
    case meanOverTime
    case flattenOverTime
    /// A kernel (F, units), a bias (units).
    case dense(kernel: ModelTensor, bias: ModelTensor, ActivationName)
}

package struct ExportedLayerNormalization {
    package let gamma: ModelTensor
    package let beta: ModelTensor
    package let epsilon: Float
}

/// An LSTM with the gates i, f, c, o or a GRU with z, r, h and the reset gate behind the recurrent product.
package struct ExportedRecurrence {
    package let cell: Recurrence.Cell
    package let options: RecurrentOptions
    package let returnsSteps: Bool
    /// One, or forwards and backwards.
    package let directions: [Direction]

    package struct Direction {
        /// (F, gates x U), (U, gates x U), and (4 U) of an LSTM or (2, 3 U) of a GRU.
        package let kernel: ModelTensor
        package let recurrentKernel: ModelTensor
        package let bias: ModelTensor
    }
}

/// y = LayerNormalization(x + MultiHeadAttention(x, x, x)).
package struct ExportedAttention {
    package let heads: Int
    /// Features of a head.
    package let keyDimension: Int
    package let isCausal: Bool
    package let query: Projection
    package let key: Projection
    package let value: Projection
    /// (H, D, F) and (F).
    package let result: Projection
    package let normalization: ExportedLayerNormalization

    /// A kernel (F, H, D) and a bias (H, D).
    package struct Projection {
        package let kernel: ModelTensor
        package let bias: ModelTensor
    }
}
