import CKernels

/// The extents of a two-dimensional convolution over channels-last maps, frames aside.
///
/// Input (N, H, W, C), kernel (kernel rows, kernel columns, C / groups, K), output (N, H', W', K). With groups, filters
/// g K / groups ..< (g + 1) K / groups see only the channels g C / groups ..< (g + 1) C / groups.
package struct ConvolutionGeometry: Sendable, Equatable, CustomStringConvertible {
    /// Keras's two kinds of padding, and PyTorch's. `same`: H' = ceil(H / stride), zeros around, the odd one below and to the
    /// right (TensorFlow's rule). `valid`: no zeros, H' = (H - kernel) / stride + 1. `zeros`: as many as given around the map,
    /// H' = (H + top + bottom - kernel) / stride + 1.
    package enum Padding: Sendable, Equatable {
        case same, valid
        case zeros(top: Int, bottom: Int, left: Int, right: Int)

        /// The padding of the rows' and of the columns' axis.
        package var axes: (rows: AxisPadding, columns: AxisPadding) {
            switch self {
            case .same: (.same, .same)
            case .valid: (.zeros(before: 0, after: 0), .zeros(before: 0, after: 0))
            case .zeros(let top, let bottom, let left, let right): (.zeros(before: top, after: bottom), .zeros(before: left, after: right))
            }
        }
    }

    /// The padding of one axis.
    package enum AxisPadding: Sendable, Equatable {
        case same
        case zeros(before: Int, after: Int)

        /// The output's extent (0: the kernel does not fit) and the zeros before the input's first element.
        package func extent(_ input: Int, kernel: Int, stride: Int) -> (output: Int, before: Int) {
            switch self {
            case .zeros(let before, let after):
                precondition(before >= 0 && after >= 0, "padding (\(before), \(after))")
                let padded = input + before + after
                return (padded < kernel ? 0 : (padded - kernel) / stride + 1, before)
            case .same:
                let output = (input + stride - 1) / stride
                return (output, max(0, (output - 1) * stride + kernel - input) / 2)
            }
        }
    }

    package let rows: Int
    package let columns: Int
    package let channels: Int
    package let filters: Int
    package let groups: Int
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
        stride: (rows: Int, columns: Int) = (1, 1), padding: Padding = .same, groups: Int = 1
    ) {
        precondition(
            rows > 0 && columns > 0 && channels > 0 && filters > 0, "convolution of (\(rows), \(columns), \(channels)) to \(filters)")
        precondition(kernel.rows > 0 && kernel.columns > 0 && stride.rows > 0 && stride.columns > 0, "kernel \(kernel), stride \(stride)")
        precondition(
            groups > 0 && channels % groups == 0 && filters % groups == 0, "\(groups) groups of \(channels) channels and \(filters) filters"
        )
        self.rows = rows
        self.columns = columns
        self.channels = channels
        self.filters = filters
        self.groups = groups
        (kernelRows, kernelColumns) = kernel
        (strideRows, strideColumns) = stride
        (outRows, padTop) = padding.axes.rows.extent(rows, kernel: kernel.rows, stride: stride.rows)
        (outColumns, padLeft) = padding.axes.columns.extent(columns, kernel: kernel.columns, stride: stride.columns)
        precondition(outRows > 0 && outColumns > 0, "a \(kernel) kernel over a (\(rows), \(columns)) map with padding \(padding)")
    }

    /// A stride-1 convolution of the output gradient that computes the input gradient.
    private init(gradientOf g: ConvolutionGeometry) {
        (rows, columns, channels, filters, groups) = (g.outRows, g.outColumns, g.filters, g.channels, g.groups)
        (kernelRows, kernelColumns, strideRows, strideColumns) = (g.kernelRows, g.kernelColumns, 1, 1)
        (padTop, padLeft) = (g.kernelRows - 1 - g.padTop, g.kernelColumns - 1 - g.padLeft)
        (outRows, outColumns) = (g.rows, g.columns)
    }

    /// Input channels of a group.
    package var groupChannels: Int { channels / groups }
    /// Filters of a group.
    package var groupFilters: Int { filters / groups }
    /// Rows of the kernel as a matrix (taps x C / groups, K).
    package var taps: Int { kernelRows * kernelColumns * groupChannels }
    /// Output positions of a frame.
    package var positions: Int { outRows * outColumns }
    package var inputShape: Shape { [rows, columns, channels] }
    package var outputShape: Shape { [outRows, outColumns, filters] }
    package var kernelShape: Shape { [kernelRows, kernelColumns, groupChannels, filters] }
    /// Multiplications and additions of one frame's forward pass.
    package var flops: Double { 2 * Double(positions) * Double(taps) * Double(filters) }

    /// Returns true if the input itself is the im2col matrix (of a group: some of its columns): one tap, no stride, no padding.
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
        "\(rows)x\(columns)x\(channels) -> \(outRows)x\(outColumns)x\(filters), kernel \(kernelRows)x\(kernelColumns), stride \(strideRows)x\(strideColumns)\(groups > 1 ? ", \(groups) groups" : "")"
    }

    var kernelShapeForC: vc_conv_shape {
        vc_conv_shape(
            rows: Int32(rows), columns: Int32(columns), channels: Int32(channels), kernel_rows: Int32(kernelRows),
            kernel_columns: Int32(kernelColumns), stride_rows: Int32(strideRows), stride_columns: Int32(strideColumns),
            pad_top: Int32(padTop), pad_left: Int32(padLeft), out_rows: Int32(outRows), out_columns: Int32(outColumns))
    }
}
