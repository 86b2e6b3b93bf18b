import CKernels
import VidTensor
import VidTestSupport

/// A convolution to test: its geometry, and the twin's view of it.
struct ConvolutionCase: Sendable, CustomStringConvertible {
    let name: String
    let geometry: ConvolutionGeometry

    init(_ name: String, _ geometry: ConvolutionGeometry) {
        self.name = name
        self.geometry = geometry
    }

    init(_ shape: ConvolutionShape, filters: Int = .max) {
        name = shape.name
        geometry = ConvolutionGeometry(
            rows: shape.rows, columns: shape.columns, channels: shape.channels, filters: min(filters, shape.filters))
    }

    /// The algorithms that can compute it.
    var algorithms: [Convolution.Algorithm] {
        Convolution.Algorithm.allCases.filter { Convolution.algorithm(for: geometry, preferring: $0) == $0 }
    }

    var description: String { "\(name) \(geometry)" }

    /// The twin's view.
    var shape: vc_conv_shape {
        let g = geometry
        return vc_conv_shape(
            rows: Int32(g.rows), columns: Int32(g.columns), channels: Int32(g.channels), kernel_rows: Int32(g.kernelRows),
            kernel_columns: Int32(g.kernelColumns), stride_rows: Int32(g.strideRows), stride_columns: Int32(g.strideColumns),
            pad_top: Int32(g.padTop), pad_left: Int32(g.padLeft), out_rows: Int32(g.outRows), out_columns: Int32(g.outColumns))
    }

    static let odd = ConvolutionShape.odd.map { ConvolutionCase($0) } + general

    private static func symmetric(_ n: Int) -> ConvolutionGeometry.Padding { .zeros(top: n, bottom: n, left: n, right: n) }

    /// Other kernels, strides and paddings.
    static let general: [ConvolutionCase] = [
        .init("1x1", .init(rows: 5, columns: 7, channels: 19, filters: 21, kernel: (1, 1))),
        .init("1x1 stride 2", .init(rows: 5, columns: 8, channels: 3, filters: 4, kernel: (1, 1), stride: (2, 2))),
        .init("3x3 valid", .init(rows: 9, columns: 6, channels: 5, filters: 6, padding: .valid)),
        .init("3x3 same stride 2", .init(rows: 9, columns: 8, channels: 5, filters: 18, stride: (2, 2))),
        .init("7x7 same stride 2", .init(rows: 23, columns: 20, channels: 3, filters: 17, kernel: (7, 7), stride: (2, 2))),
        // Filters in whole vectors: the filter gradient reads the input as it is. Rows of outputs in one piece and in two.
        .init("3x3 whole vectors", .init(rows: 7, columns: 150, channels: 3, filters: 32)),
        .init("3x3 valid, whole vectors", .init(rows: 9, columns: 12, channels: 5, filters: 16, padding: .valid)),
        .init("7x7 same stride 2, whole vectors", .init(rows: 23, columns: 20, channels: 3, filters: 64, kernel: (7, 7), stride: (2, 2))),
        .init(
            "3x5 stride 2x3, whole vectors", .init(rows: 11, columns: 25, channels: 2, filters: 48, kernel: (3, 5), stride: (2, 3))),
        .init("2x4 same", .init(rows: 6, columns: 5, channels: 4, filters: 3, kernel: (2, 4))),
        .init(
            "5x1 valid stride 2x3", .init(rows: 11, columns: 10, channels: 2, filters: 5, kernel: (5, 1), stride: (2, 3), padding: .valid)),
        .init("kernel over the map", .init(rows: 2, columns: 3, channels: 3, filters: 2, kernel: (7, 5))),
        .init("3x3 zeros stride 2", .init(rows: 9, columns: 8, channels: 5, filters: 18, stride: (2, 2), padding: symmetric(1))),
        .init(
            "7x7 zeros stride 2",
            .init(rows: 24, columns: 20, channels: 3, filters: 17, kernel: (7, 7), stride: (2, 2), padding: symmetric(3))),
        .init("3x3 zeros", .init(rows: 8, columns: 9, channels: 8, filters: 16, padding: symmetric(1))),
        .init("uneven zeros", .init(rows: 8, columns: 6, channels: 4, filters: 7, padding: .zeros(top: 2, bottom: 0, left: 1, right: 3))),
        .init("zeros beyond the kernel", .init(rows: 4, columns: 5, channels: 3, filters: 2, kernel: (1, 2), padding: symmetric(2))),
        .init("gaps", .init(rows: 10, columns: 10, channels: 2, filters: 3, kernel: (2, 2), stride: (4, 3), padding: .valid)),
    ]
}

/// A workspace whose first megabytes are NaN, so that scratch read before it is written shows.
func garbageWorkspace() -> Workspace {
    let workspace = Workspace()
    let mark = workspace.mark
    workspace.take([8 << 20]).fill(.nan)
    workspace.release(to: mark)
    return workspace
}

/// The bits of a tensor's elements: equality that tells 0 from -0 and knows NaN.
func bits(_ tensor: Tensor) -> [UInt32] { tensor.array.map(\.bitPattern) }
