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

    /// Finds the maxima again, which is cheaper than saving them.
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

/// The mean of each channel over a frame's positions: (N, H, W, C) -> (N, C).
package struct GlobalAveragePooling2D: FrameLayer {
    package let name: String
    package let type = "GlobalAveragePooling2D"

    package init(_ name: String = "global_average_pooling2d") { self.name = name }

    package func outputShape(_ input: Shape) -> Shape { channels(of: input, name) }

    package func canOverwriteInput(_ input: Shape, _ rectified: RectifiedGradients) -> Bool { !rectified.input }

    package func forward(_ input: Tensor, into output: Tensor, _ context: Context) {
        Pooling.globalAverage(input: input, output: output, workers: context.workers)
    }

    package func backward(_ dOutput: Tensor, input: Tensor, output: Tensor, into dInput: Tensor?, _ context: Context) {
        guard let dInput else { return }
        Pooling.globalAverageGradient(dOutput: dOutput, dInput: dInput, workers: context.workers)
    }
}

/// The largest value of each channel over a frame's positions: (N, H, W, C) -> (N, C).
package struct GlobalMaxPooling2D: FrameLayer {
    package let name: String
    package let type = "GlobalMaxPooling2D"

    package init(_ name: String = "global_max_pooling2d") { self.name = name }

    package func outputShape(_ input: Shape) -> Shape { channels(of: input, name) }

    package func forward(_ input: Tensor, into output: Tensor, _ context: Context) {
        Pooling.globalMaximum(input: input, output: output, workers: context.workers)
    }

    package func backward(_ dOutput: Tensor, input: Tensor, output: Tensor, into dInput: Tensor?, _ context: Context) {
        guard let dInput else { return }
        Pooling.globalMaximumGradient(input: input, dOutput: dOutput, dInput: dInput, workers: context.workers)
    }
}

private func channels(of input: Shape, _ name: String) -> Shape {
    precondition(input.rank == 3, "\(name): expected frames of (rows, columns, channels), received \(input)")
    return [input[2]]
}

/// A frame's maps as one vector, (N, H, W, C) -> (N, H W C), rows outermost and channels innermost (Keras's order).
package struct Flatten: FrameLayer {
    package let name: String
    package let type = "Flatten"

    package init(_ name: String = "flatten") { self.name = name }

    package func outputShape(_ input: Shape) -> Shape { [input.count] }

    package func canOverwriteInput(_ input: Shape, _ rectified: RectifiedGradients) -> Bool { !rectified.input }

    /// The output is the input under another shape.
    package func forward(_ input: Tensor, _ context: Context) -> Saved {
        Saved(input: input, output: input.reshaped(outputShape(input.shape.dropFirst).prepending(input.shape[0])))
    }

    package func forward(_ input: Tensor, into output: Tensor, _ context: Context) { output.copy(from: input) }

    package func backward(_ dOutput: Tensor, input: Tensor, output: Tensor, into dInput: Tensor?, _ context: Context) {
        dInput?.copy(from: dOutput)
    }
}

/// The mean over the steps that count, (B, T, F) -> (B, F); Keras's `GlobalAveragePooling1D` with a mask. A sequence
/// without any step that counts gives 0.
package struct MeanOverTime: SequenceLayer {
    package let name: String

    package init(_ name: String) { self.name = name }

    package func outputShape(_ input: Shape) -> Shape { [input[1]] }

    package func forward(_ input: Tensor, mask: Tensor?, _ context: Context) -> Saved {
        let output = context.workspace.take([input.shape[0], input.shape[2]])
        Reductions.meanOverTime(input, mask: mask, into: output, context.workers)
        return Saved(input: input, output: output)
    }

    package func backward(_ dOutput: Tensor, _ saved: Saved, mask: Tensor?, _ context: Context, needsInputGradient: Bool) -> Tensor? {
        guard needsInputGradient else { return nil }
        let dInput = context.workspace.take(saved.input.shape)
        Reductions.meanOverTimeGradient(dOutput, mask: mask, into: dInput, context.workers)
        return dInput
    }
}
