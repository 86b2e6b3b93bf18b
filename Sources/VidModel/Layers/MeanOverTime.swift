import VidTensor

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
