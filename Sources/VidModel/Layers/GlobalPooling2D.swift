import VidTensor

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

/// The largest of each channel over a frame's positions: (N, H, W, C) -> (N, C).
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
