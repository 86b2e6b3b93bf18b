import VidTensor

/// Two recurrent layers over the same sequence, one from its start and one from its end, their hidden states side by
/// side: (B, T, 2U), or (B, 2U) of the step each reads last. Keras's `Bidirectional` with `merge_mode="concat"`.
///
/// Masks as in Keras: the layer that starts from the end meets the masked steps of a short clip first and carries its
/// zero state through them. Parameters `NAME/forward/...` and `NAME/backward/...`.
package struct Bidirectional: SequenceLayer {
    package let name: String
    private let forwards: RecurrentLayer
    private let backwards: RecurrentLayer

    /// `backwards` is the layer that reads from the end; both have the same units.
    package init(_ name: String, forwards: RecurrentLayer, backwards: RecurrentLayer) {
        precondition(
            forwards.units == backwards.units && forwards.returnSequences == backwards.returnSequences,
            "\(name): directions of \(forwards.units) and \(backwards.units) units")
        self.name = name
        self.forwards = forwards
        self.backwards = backwards
    }

    private var units: Int { forwards.units }

    package func outputShape(_ input: Shape) -> Shape {
        forwards.returnSequences ? [input[0], 2 * units] : [2 * units]
    }

    package func forward(_ input: Tensor, mask: Tensor?, _ context: Context) -> Saved {
        let output = context.workspace.take(outputShape(input.shape.dropFirst).prepending(input.shape[0]))
        var saved = Saved(input: input, output: output)
        saved.recurrence = forwards.run(input, mask: mask, output: .init(output), context)
        saved.reversedRecurrence = backwards.run(input, mask: mask, output: .init(output, offset: units), context)
        return saved
    }

    package func backward(_ dOutput: Tensor, _ saved: Saved, mask: Tensor?, _ context: Context, needsInputGradient: Bool) -> Tensor? {
        let shape = saved.input.shape
        let dInput = needsInputGradient ? context.workspace.take(shape) : nil
        forwards.runBackward(.init(dOutput), saved.recurrence, input: shape, mask: mask, dInput: dInput, accumulate: false, context)
        backwards.runBackward(
            .init(dOutput, offset: units), saved.reversedRecurrence, input: shape, mask: mask, dInput: dInput, accumulate: true, context)
        return dInput
    }
}
