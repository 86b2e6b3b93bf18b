import CKernels

/// The extents of a two-dimensional convolution over channels-last maps, frames aside.
///
/// Input (N, H, W, C), kernel (kernel rows, kernel columns, C, K), output (N, H', W', K).
package struct ConvolutionGeometry: Sendable, Equatable, CustomStringConvertible {
    /// Keras's two kinds of padding. `same`: H' = ceil(H / stride), zeros around, the odd one below and to the right
    /// (TensorFlow's rule). `valid`: no zeros, H' = (H - kernel) / stride + 1.
    package enum Padding: Sendable { case same, valid }

    package let rows: Int
    package let columns: Int
    package let channels: Int
    package let filters: Int
    package let kernelRows: Int
    package let kernelColumns: Int
    package let strideRows: Int
    package let strideColumns: Int
    package let padTop: Int
    package let padLeft: Int
    package let outRows: Int
    package let outColumns: Int

    package init(
        rows: Int, columns: Int, channels: Int, filters: Int, kernel: (rows: Int, columns: Int) = (3, 3),
        stride: (rows: Int, columns: Int) = (1, 1), padding: Padding = .same
    ) {
        precondition(
            rows > 0 && columns > 0 && channels > 0 && filters > 0, "convolution of (\(rows), \(columns), \(channels)) to \(filters)")
        precondition(kernel.rows > 0 && kernel.columns > 0 && stride.rows > 0 && stride.columns > 0, "kernel \(kernel), stride \(stride)")
        self.rows = rows
        self.columns = columns
        self.channels = channels
        self.filters = filters
        (kernelRows, kernelColumns) = kernel
        (strideRows, strideColumns) = stride
        let vertical = ConvolutionGeometry.extent(rows, kernel: kernel.rows, stride: stride.rows, padding: padding)
        let horizontal = ConvolutionGeometry.extent(columns, kernel: kernel.columns, stride: stride.columns, padding: padding)
        (outRows, padTop) = vertical
        (outColumns, padLeft) = horizontal
        precondition(outRows > 0 && outColumns > 0, "a \(kernel) kernel over a (\(rows), \(columns)) map without padding")
    }

    /// A stride-1 convolution of the output gradient that computes the input gradient.
    private init(gradientOf g: ConvolutionGeometry) {
        (rows, columns, channels, filters) = (g.outRows, g.outColumns, g.filters, g.channels)
        (kernelRows, kernelColumns, strideRows, strideColumns) = (g.kernelRows, g.kernelColumns, 1, 1)
        (padTop, padLeft) = (g.kernelRows - 1 - g.padTop, g.kernelColumns - 1 - g.padLeft)
        (outRows, outColumns) = (g.rows, g.columns)
    }

    /// The output's extent along one axis (0 or less: the kernel does not fit) and the zeros before its first element.
    package static func extent(_ input: Int, kernel: Int, stride: Int, padding: Padding) -> (output: Int, before: Int) {
        switch padding {
        case .valid: return (input < kernel ? 0 : (input - kernel) / stride + 1, 0)
        case .same:
            let output = (input + stride - 1) / stride
            return (output, max(0, (output - 1) * stride + kernel - input) / 2)
        }
    }

    /// Rows of the kernel as a matrix (taps x C, K).
    package var taps: Int { kernelRows * kernelColumns * channels }
    /// Output positions of a frame.
    package var positions: Int { outRows * outColumns }
    package var inputShape: Shape { [rows, columns, channels] }
    package var outputShape: Shape { [outRows, outColumns, filters] }
    package var kernelShape: Shape { [kernelRows, kernelColumns, channels, filters] }
    /// Multiplications and additions of one frame's forward pass.
    package var flops: Double { 2 * Double(positions) * Double(taps) * Double(filters) }

    /// Returns true if the input itself is the im2col matrix: one tap, no stride, no padding.
    package var isPointwise: Bool {
        kernelRows == 1 && kernelColumns == 1 && strideRows == 1 && strideColumns == 1 && padTop == 0 && padLeft == 0
            && outRows == rows && outColumns == columns
    }

    /// The stride-1 convolution of dOutput (K channels) with the rotated, transposed filters that gives dInput (C channels);
    /// nil where the stride is not 1.
    package var inputGradient: ConvolutionGeometry? {
        strideRows == 1 && strideColumns == 1 && padTop < kernelRows && padLeft < kernelColumns
            ? ConvolutionGeometry(gradientOf: self) : nil
    }

    package var description: String {
        "\(rows)x\(columns)x\(channels) -> \(outRows)x\(outColumns)x\(filters), kernel \(kernelRows)x\(kernelColumns), stride \(strideRows)x\(strideColumns)"
    }

    var kernelShapeForC: vc_conv_shape {
        vc_conv_shape(
            rows: Int32(rows), columns: Int32(columns), channels: Int32(channels), kernel_rows: Int32(kernelRows),
            kernel_columns: Int32(kernelColumns), stride_rows: Int32(strideRows), stride_columns: Int32(strideColumns),
            pad_top: Int32(padTop), pad_left: Int32(padLeft), out_rows: Int32(outRows), out_columns: Int32(outColumns))
    }
}
