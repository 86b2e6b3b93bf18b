import VidTensor

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
