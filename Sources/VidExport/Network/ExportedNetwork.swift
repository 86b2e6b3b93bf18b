import VidConfig
import VidModel
import VidTensor

/// A classifier as a list of operations that every format knows: a graph over each frame, then a chain over a clip's features.
package struct ExportedNetwork {
    /// The operations on each frame, in an order in which each node comes after its inputs.
    let frames: [FrameNode]
    /// F: features a frame.
    let features: Int
    /// The operations on the features of a clip, (T, F), one after the other; the last one computes the logits.
    let head: [HeadNode]
    /// The preprocessing of pixels; nil for vectors.
    let preprocessing: Preprocessing?
    let configuration: RunConfiguration
    /// Labels in the order of the scores.
    let classes: [String]
    /// SHA-256 of the checkpoint, in hexadecimal digits.
    let checkpoint: String

    var input: InputConfiguration { configuration.model.input }

    /// Whether clips may be shorter than the model's frames, with their number of frames as another input.
    var isMasked: Bool { configuration.data.shortClips == .mask }

    /// (H, W, C), or (F) for vectors.
    var frameShape: Shape { input.features.map { [$0] } ?? [input.rows, input.columns, input.channels] }
}

/// An operation on each frame.
struct FrameNode {
    /// The index that stands for the frame among a node's inputs.
    static let frame = NetworkGraph.frames

    let name: String
    let operation: FrameOperation
    /// The nodes whose outputs it takes.
    let inputs: [Int]
    /// The shape of the (first) input and of the output for one frame.
    let inputShape: Shape
    let shape: Shape
}

enum FrameOperation {
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
struct ExportedNormalization {
    let gamma: ModelTensor
    let beta: ModelTensor
    let mean: ModelTensor
    let variance: ModelTensor
    let epsilon: Float
}

/// The windows of a convolution or pooling over maps, and the places around the maps.
struct MapWindow {
    let size: (rows: Int, columns: Int)
    let strides: (rows: Int, columns: Int)
    let top: Int
    let bottom: Int
    let left: Int
    let right: Int

    init(
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

    var isPadded: Bool { top + bottom + left + right > 0 }
}

/// An operation on a clip's steps, (T, F), or on its vector, (F).
struct HeadNode {
    let name: String
    let operation: HeadOperation
    /// Whether the input is one vector a step.
    let takesSteps: Bool
    /// F of the input.
    let features: Int
}

enum HeadOperation {
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

struct ExportedLayerNormalization {
    let gamma: ModelTensor
    let beta: ModelTensor
    let epsilon: Float
}

/// An LSTM with the gates i, f, c, o or a GRU with z, r, h and the reset gate behind the recurrent product.
struct ExportedRecurrence {
    let cell: Recurrence.Cell
    let options: RecurrentOptions
    let returnsSteps: Bool
    /// One, or forwards and backwards.
    let directions: [Direction]

    struct Direction {
        /// (F, gates x U), (U, gates x U), and (4 U) of an LSTM or (2, 3 U) of a GRU.
        let kernel: ModelTensor
        let recurrentKernel: ModelTensor
        let bias: ModelTensor
    }
}

/// y = LayerNormalization(x + MultiHeadAttention(x, x, x)).
struct ExportedAttention {
    let heads: Int
    /// Features of a head.
    let keyDimension: Int
    let isCausal: Bool
    let query: Projection
    let key: Projection
    let value: Projection
    /// (H, D, F) and (F).
    let result: Projection
    let normalization: ExportedLayerNormalization

    /// A kernel (F, H, D) and a bias (H, D).
    struct Projection {
        let kernel: ModelTensor
        let bias: ModelTensor
    }
}
