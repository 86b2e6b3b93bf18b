import VidTensor

/// Max pooling without padding over frames (N, H, W, C) -> (N, H', W', C), H' = (H - pool) / stride + 1.
package struct MaxPool2D: FrameLayer {
    package let name: String
    package let type = "MaxPooling2D"
    package let pool: PoolingGeometry.Pair
    package let stride: PoolingGeometry.Pair

    /// `stride` is the pool unless given, as in Keras.
    package init(_ name: String, pool: (rows: Int, columns: Int) = (2, 2), stride: (rows: Int, columns: Int)? = nil) {
        self.name = name
        self.pool = .init(pool.rows, pool.columns)
        self.stride = stride.map { .init($0.rows, $0.columns) } ?? self.pool
    }

    package func outputShape(_ input: Shape) -> Shape { geometry(input).outputShape }

    /// Windows that do not overlap are read before they are written.
    package func canOverwriteInput(_ input: Shape, _ rectified: RectifiedGradients) -> Bool { pool == .init(2, 2) && stride == pool }

    package func forward(_ input: Tensor, into output: Tensor, _ context: Context) {
        Pooling.maximum(geometry(input.shape.dropFirst), input: input, output: output, workers: context.workers)
    }

    /// Finds the maxima again: that is cheaper than keeping them.
    package func backward(_ dOutput: Tensor, input: Tensor, output: Tensor, into dInput: Tensor?, _ context: Context) {
        backward(dOutput, input: input, output: output, into: dInput, rectified: RectifiedGradients(), context)
    }

    package func backward(
        _ dOutput: Tensor, input: Tensor, output: Tensor, into dInput: Tensor?, rectified: RectifiedGradients, _ context: Context
    ) {
        guard let dInput else { return }
        Pooling.maximumGradient(
            geometry(input.shape.dropFirst), input: input, dOutput: dOutput, rectified: rectified.input, dInput: dInput,
            workers: context.workers)
    }

    private func geometry(_ input: Shape) -> PoolingGeometry {
        precondition(
            input.rank == 3 && input[0] >= pool.rows && input[1] >= pool.columns,
            "\(name): expected frames of (rows, columns, channels) of at least (\(pool.rows), \(pool.columns)), received \(input)")
        return PoolingGeometry(rows: input[0], columns: input[1], channels: input[2], pool: pool, stride: stride)
    }
}
