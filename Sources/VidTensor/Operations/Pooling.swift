import CKernels

/// The extents of a pooling over channels-last maps, frames aside. Padding never wins a maximum.
package struct PoolingGeometry: Sendable, Equatable {
    package let rows: Int
    package let columns: Int
    package let channels: Int
    package let pool: Pair
    package let stride: Pair
    package let padTop: Int
    package let padLeft: Int
    package let outRows: Int
    package let outColumns: Int

    /// Rows and columns.
    package struct Pair: Sendable, Equatable {
        package let rows: Int
        package let columns: Int
        package init(_ rows: Int, _ columns: Int) {
            precondition(rows > 0 && columns > 0, "(\(rows), \(columns))")
            self.rows = rows
            self.columns = columns
        }
    }

    /// Explicit padding must be less than the window, so that every window sees the map.
    package init(
        rows: Int, columns: Int, channels: Int, pool: Pair = Pair(2, 2), stride: Pair = Pair(2, 2),
        padding: ConvolutionGeometry.Padding = .valid
    ) {
        precondition(rows > 0 && columns > 0 && channels > 0, "pool \(pool) over (\(rows), \(columns), \(channels))")
        if case .zeros(let top, let bottom, let left, let right) = padding {
            precondition(max(top, bottom) < pool.rows && max(left, right) < pool.columns, "pool \(pool) with padding \(padding)")
        }
        (outRows, padTop) = padding.axes.rows.extent(rows, kernel: pool.rows, stride: stride.rows)
        (outColumns, padLeft) = padding.axes.columns.extent(columns, kernel: pool.columns, stride: stride.columns)
        precondition(outRows > 0 && outColumns > 0, "pool \(pool) over (\(rows), \(columns), \(channels)) with padding \(padding)")
        self.rows = rows
        self.columns = columns
        self.channels = channels
        self.pool = pool
        self.stride = stride
    }

    package var inputShape: Shape { [rows, columns, channels] }
    package var outputShape: Shape { [outRows, outColumns, channels] }

    var shapeForC: vc_pool_shape {
        vc_pool_shape(
            rows: Int32(rows), columns: Int32(columns), channels: Int32(channels), pool_rows: Int32(pool.rows),
            pool_columns: Int32(pool.columns), stride_rows: Int32(stride.rows), stride_columns: Int32(stride.columns),
            pad_top: Int32(padTop), pad_left: Int32(padLeft), out_rows: Int32(outRows), out_columns: Int32(outColumns))
    }
}

/// Max pooling, average pooling and global pooling of frames (N, H, W, C), forward and backward. Nothing is summed over frames.
package enum Pooling {
    /// output (N, H', W', C) = the largest of each window; NaN wins over numbers.
    package static func maximum(_ g: PoolingGeometry, input: Tensor, output: Tensor, workers: Workers) {
        check(g, input, output)
        forEachBlock(g, frames: input.shape[0], workers) { shape, frame, rows in
            vc_max_pool(
                shape, input.base + frame * g.inputShape.count, Int32(rows.lowerBound), Int32(rows.upperBound),
                output.base + frame * g.outputShape.count)
        }
    }

    /// Calls `body` with every frame and blocks of its output rows; `rows`: those of a block, if not as many as are worth handing out.
    private static func forEachBlock(
        _ g: PoolingGeometry, rows: Int? = nil, frames: Int, _ workers: Workers,
        _ body: (_ shape: UnsafePointer<vc_pool_shape>, _ frame: Int, _ rows: Range<Int>) -> Void
    ) {
        let rows = rows ?? max(1, 65536 / (g.columns * g.channels * g.stride.rows))
        let blocks = (g.outRows + rows - 1) / rows
        workers.forEach(frames * blocks) { block, _ in
            let first = block % blocks * rows
            withUnsafePointer(to: g.shapeForC) { body($0, block / blocks, first..<min(g.outRows, first + rows)) }
        }
    }

    /// dInput (N, H, W, C), overwritten. The first of equal maxima gets the gradient, as in PyTorch and TensorFlow. If
    /// `rectified`, it must also be positive: the input is the output of a ReLU, whose gradient is applied too.
    package static func maximumGradient(
        _ g: PoolingGeometry, input: Tensor, dOutput: Tensor, rectified: Bool = false, dInput: Tensor, workers: Workers
    ) {
        check(g, input, dOutput)
        precondition(dInput.shape == input.shape, "gradient \(dInput.shape) of \(input.shape)")
        // Where windows do not overlap, no window reaches from a block of output rows into another.
        let isDivided = g.stride.rows >= g.pool.rows && g.padTop == 0
        forEachBlock(g, rows: isDivided ? nil : g.outRows, frames: input.shape[0], workers) { shape, frame, rows in
            let first = rows.lowerBound * g.stride.rows
            let end = rows.upperBound == g.outRows ? g.rows : rows.upperBound * g.stride.rows
            var part = shape.pointee
            (part.rows, part.out_rows) = (Int32(end - first), Int32(rows.count))
            let at = frame * g.inputShape.count + first * g.columns * g.channels
            let from = frame * g.outputShape.count + rows.lowerBound * g.outColumns * g.channels
            vc_max_pool_gradient(&part, input.base + at, dOutput.base + from, rectified, dInput.base + at)
        }
    }

    /// output (N, H', W', C) = the mean of each window: with `countsPadding` the padding counts as zeros (PyTorch's default), else
    /// the mean is over the elements within the map (TensorFlow's `same`).
    package static func average(_ g: PoolingGeometry, countsPadding: Bool, input: Tensor, output: Tensor, workers: Workers) {
        check(g, input, output)
        forEachBlock(g, frames: input.shape[0], workers) { shape, frame, rows in
            vc_average_pool(
                shape, countsPadding, input.base + frame * g.inputShape.count, Int32(rows.lowerBound), Int32(rows.upperBound),
                output.base + frame * g.outputShape.count)
        }
    }

    /// dInput (N, H, W, C), overwritten: each window's share of dOutput (N, H', W', C), added up.
    package static func averageGradient(_ g: PoolingGeometry, countsPadding: Bool, dOutput: Tensor, dInput: Tensor, workers: Workers) {
        check(g, dInput, dOutput)
        workers.forEach(dInput.shape[0]) { frame, _ in
            withUnsafePointer(to: g.shapeForC) {
                vc_average_pool_gradient(
                    $0, countsPadding, dOutput.base + frame * g.outputShape.count, dInput.base + frame * g.inputShape.count)
            }
        }
    }

    /// output (N, C) = the mean over the positions of each frame.
    package static func globalAverage(input: Tensor, output: Tensor, workers: Workers) {
        let (positions, channels) = checkGlobal(input, output)
        workers.forEach(input.shape[0]) { frame, _ in
            vc_global_average_pool(input.base + frame * positions * channels, positions, Int32(channels), output.base + frame * channels)
        }
    }

    /// dInput (N, H, W, C), overwritten: dOutput (N, C) / (H W) everywhere.
    package static func globalAverageGradient(dOutput: Tensor, dInput: Tensor, workers: Workers) {
        let (positions, channels) = checkGlobal(dInput, dOutput)
        workers.forEach(dInput.shape[0]) { frame, _ in
            vc_global_average_pool_gradient(
                dOutput.base + frame * channels, positions, Int32(channels), dInput.base + frame * positions * channels)
        }
    }

    /// output (N, C) = the largest over the positions of each frame.
    package static func globalMaximum(input: Tensor, output: Tensor, workers: Workers) {
        let (positions, channels) = checkGlobal(input, output)
        workers.forEach(input.shape[0]) { frame, _ in
            vc_global_max_pool(input.base + frame * positions * channels, positions, Int32(channels), output.base + frame * channels)
        }
    }

    /// dInput (N, H, W, C), overwritten: dOutput (N, C) at the first maximum of each channel.
    package static func globalMaximumGradient(input: Tensor, dOutput: Tensor, dInput: Tensor, workers: Workers) {
        let (positions, channels) = checkGlobal(input, dOutput)
        precondition(dInput.shape == input.shape, "gradient \(dInput.shape) of \(input.shape)")
        workers.forEach(input.shape[0]) { frame, _ in
            let at = frame * positions * channels
            vc_global_max_pool_gradient(input.base + at, dOutput.base + frame * channels, positions, Int32(channels), dInput.base + at)
        }
    }

    private static func check(_ g: PoolingGeometry, _ input: Tensor, _ output: Tensor) {
        precondition(
            input.shape.rank == 4 && output.shape.rank == 4 && input.shape[0] == output.shape[0]
                && input.shape.dropFirst == g.inputShape && output.shape.dropFirst == g.outputShape,
            "maps \(input.shape) and \(output.shape) for \(g)")
    }

    private static func checkGlobal(_ input: Tensor, _ output: Tensor) -> (positions: Int, channels: Int) {
        precondition(
            input.shape.rank == 4 && output.shape.rank == 2 && output.shape[0] == input.shape[0] && output.shape[1] == input.shape[3],
            "maps \(input.shape) and features \(output.shape)")
        return (input.shape[1] * input.shape[2], input.shape[3])
    }
}
