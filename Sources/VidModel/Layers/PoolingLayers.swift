import VidTensor

/// Max pooling over frames (N, H, W, C) -> (N, H', W', C). Places in the padding never win.
package struct MaxPool2D: FrameLayer {
    package let name: String
    package let type = "MaxPooling2D"
    package let pool: PoolingGeometry.Pair
    package let stride: PoolingGeometry.Pair
    package let padding: ConvolutionGeometry.Padding

    /// `stride` is the pool unless given, as in Keras.
    package init(
        _ name: String, pool: (rows: Int, columns: Int) = (2, 2), stride: (rows: Int, columns: Int)? = nil,
        padding: ConvolutionGeometry.Padding = .valid
    ) {
        self.name = name
        self.pool = .init(pool.rows, pool.columns)
        self.stride = stride.map { .init($0.rows, $0.columns) } ?? self.pool
        self.padding = padding
    }

    /// Returns true for 2x2 windows side by side, which a convolution can compute as well.
    var isHalving: Bool { pool == .init(2, 2) && stride == pool && padding == .valid }

    package func outputShape(_ input: Shape) -> Shape { geometry(input).outputShape }

    /// Windows that do not overlap are read before they are written.
    package func canOverwriteInput(_ input: Shape, _ rectified: RectifiedGradients) -> Bool { isHalving }

    package func forward(_ input: Tensor, into output: Tensor, _ context: Context) {
        Pooling.maximum(geometry(input.shape.dropFirst), input: input, output: output, workers: context.workers)
    }

    /// Finds the maxima again, which is cheaper than saving them.
    package func backward(
        _ dOutput: Tensor, input: Tensor, output: Tensor, into dInput: Tensor?, rectified: RectifiedGradients, _ context: Context
    ) {
        guard let dInput else { return }
        Pooling.maximumGradient(
            geometry(input.shape.dropFirst), input: input, dOutput: dOutput, rectified: rectified.input, dInput: dInput,
            workers: context.workers)
    }

    private func geometry(_ input: Shape) -> PoolingGeometry {
        precondition(input.rank == 3, "\(name): expected frames of (rows, columns, channels), received \(input)")
        return PoolingGeometry(rows: input[0], columns: input[1], channels: input[2], pool: pool, stride: stride, padding: padding)
    }
}

/// The mean of each window, (N, H, W, C) -> (N, H', W', C).
package struct AveragePooling2D: FrameLayer {
    package let name: String
    package let type = "AveragePooling2D"
    package let pool: PoolingGeometry.Pair
    package let stride: PoolingGeometry.Pair
    package let padding: ConvolutionGeometry.Padding
    /// Whether the places in the padding count, as in PyTorch; in Keras they do not.
    package let countsPadding: Bool

    /// `stride` is the pool unless given, as in Keras.
    package init(
        _ name: String, pool: (rows: Int, columns: Int) = (2, 2), stride: (rows: Int, columns: Int)? = nil,
        padding: ConvolutionGeometry.Padding = .valid, countsPadding: Bool = false
    ) {
        self.name = name
        self.pool = .init(pool.rows, pool.columns)
        self.stride = stride.map { .init($0.rows, $0.columns) } ?? self.pool
        self.padding = padding
        self.countsPadding = countsPadding
    }

    package var readsInput: Bool { false }

    package func outputShape(_ input: Shape) -> Shape { geometry(input).outputShape }

    package func forward(_ input: Tensor, into output: Tensor, _ context: Context) {
        Pooling.average(
            geometry(input.shape.dropFirst), countsPadding: countsPadding, input: input, output: output, workers: context.workers)
    }

    package func backward(
        _ dOutput: Tensor, input: Tensor, output: Tensor, into dInput: Tensor?, rectified: RectifiedGradients, _ context: Context
    ) {
        guard let dInput else { return }
        Pooling.averageGradient(
            geometry(input.shape.dropFirst), countsPadding: countsPadding, dOutput: dOutput, dInput: dInput, workers: context.workers)
        rectify(dInput, input, rectified, context)
    }

    private func geometry(_ input: Shape) -> PoolingGeometry {
        precondition(input.rank == 3, "\(name): expected frames of (rows, columns, channels), received \(input)")
        return PoolingGeometry(rows: input[0], columns: input[1], channels: input[2], pool: pool, stride: stride, padding: padding)
    }
}

/// Zeros around the maps; Keras's `ZeroPadding2D`.
package struct ZeroPadding2D: FrameLayer {
    package let name: String
    package let type = "ZeroPadding2D"
    package let rows: Int
    package let columns: Int

    /// So many rows above and below, and so many columns to the left and right.
    package init(_ name: String, rows: Int, columns: Int) {
        self.name = name
        self.rows = rows
        self.columns = columns
    }

    package var readsInput: Bool { false }

    package func outputShape(_ input: Shape) -> Shape { [input[0] + 2 * rows, input[1] + 2 * columns, input[2]] }

    package func forward(_ input: Tensor, into output: Tensor, _ context: Context) {
        output.fill(0)
        forEachRow(of: input, in: output) { inner, outer, count in outer.update(from: inner, count: count) }
    }

    package func backward(
        _ dOutput: Tensor, input: Tensor, output: Tensor, into dInput: Tensor?, rectified: RectifiedGradients, _ context: Context
    ) {
        guard let dInput else { return }
        forEachRow(of: dInput, in: dOutput) { inner, outer, count in inner.update(from: outer, count: count) }
        rectify(dInput, input, rectified, context)
    }

    /// Calls `body` with each row of the maps, its place in the padded maps, and its length.
    private func forEachRow(
        of maps: Tensor, in padded: Tensor, _ body: (UnsafeMutablePointer<Float>, UnsafeMutablePointer<Float>, Int) -> Void
    ) {
        let (height, count, channels) = (maps.shape[1], maps.shape[2] * maps.shape[3], maps.shape[3])
        let line = padded.shape[2] * channels
        for row in 0..<maps.shape[0] * height {
            let (frame, place) = (row / height, row % height)
            let start = (frame * padded.shape[1] + place + rows) * line + columns * channels
            body(maps.base + row * count, padded.base + start, count)
        }
    }
}

/// The mean of each channel over a frame's positions: (N, H, W, C) -> (N, C), or (N, 1, 1, C).
package struct GlobalAveragePooling2D: FrameLayer {
    package let name: String
    package let type = "GlobalAveragePooling2D"
    package let keepsDimensions: Bool

    package init(_ name: String = "global_average_pooling2d", keepsDimensions: Bool = false) {
        self.name = name
        self.keepsDimensions = keepsDimensions
    }

    package var readsInput: Bool { false }

    package func outputShape(_ input: Shape) -> Shape {
        let channels = channels(of: input, name)
        return keepsDimensions ? [1, 1, channels.last] : channels
    }

    package func canOverwriteInput(_ input: Shape, _ rectified: RectifiedGradients) -> Bool { !rectified.input }

    package func forward(_ input: Tensor, into output: Tensor, _ context: Context) {
        Pooling.globalAverage(input: input, output: flat(output), workers: context.workers)
    }

    package func backward(
        _ dOutput: Tensor, input: Tensor, output: Tensor, into dInput: Tensor?, rectified: RectifiedGradients, _ context: Context
    ) {
        guard let dInput else { return }
        Pooling.globalAverageGradient(dOutput: flat(dOutput), dInput: dInput, workers: context.workers)
        rectify(dInput, input, rectified, context)
    }

    private func flat(_ output: Tensor) -> Tensor { output.reshaped([output.shape[0], output.shape.last]) }
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

    package func backward(
        _ dOutput: Tensor, input: Tensor, output: Tensor, into dInput: Tensor?, rectified: RectifiedGradients, _ context: Context
    ) {
        guard let dInput else { return }
        Pooling.globalMaximumGradient(input: input, dOutput: dOutput, dInput: dInput, workers: context.workers)
        rectify(dInput, input, rectified, context)
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

    package var readsInput: Bool { false }

    package func outputShape(_ input: Shape) -> Shape { [input.count] }

    package func canOverwriteInput(_ input: Shape, _ rectified: RectifiedGradients) -> Bool { !rectified.input }

    /// The output is the input under another shape.
    package func forward(_ input: Tensor, _ context: Context) -> Saved {
        Saved(input: input, output: input.reshaped(outputShape(input.shape.dropFirst).prepending(input.shape[0])))
    }

    package func forward(_ input: Tensor, into output: Tensor, _ context: Context) { output.copy(from: input) }

    package func backward(
        _ dOutput: Tensor, input: Tensor, output: Tensor, into dInput: Tensor?, rectified: RectifiedGradients, _ context: Context
    ) {
        guard let dInput else { return }
        dInput.copy(from: dOutput)
        rectify(dInput, input, rectified, context)
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

/// All steps as one vector, (B, T, F) -> (B, T F), with zeros for the steps that do not count; Keras's `Flatten`.
package struct FlattenOverTime: SequenceLayer {
    package let name: String

    package init(_ name: String) { self.name = name }

    package func outputShape(_ input: Shape) -> Shape { [input.count] }

    package func forward(_ input: Tensor, mask: Tensor?, _ context: Context) -> Saved {
        let output = context.workspace.take([input.shape[0], input.shape[1] * input.shape[2]])
        copy(input, mask, into: output)
        return Saved(input: input, output: output)
    }

    package func backward(_ dOutput: Tensor, _ saved: Saved, mask: Tensor?, _ context: Context, needsInputGradient: Bool) -> Tensor? {
        guard needsInputGradient else { return nil }
        let dInput = context.workspace.take(saved.input.shape)
        copy(dOutput, mask, into: dInput)
        return dInput
    }

    private func copy(_ source: Tensor, _ mask: Tensor?, into target: Tensor) {
        target.base.update(from: source.base, count: source.count)
        guard let mask else { return }
        let features = source.count / mask.count
        for step in 0..<mask.count where mask.base[step] == 0 {
            (target.base + step * features).update(repeating: 0, count: features)
        }
    }
}
