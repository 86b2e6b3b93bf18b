import VidTensor

/// Two recurrent layers over the same sequence, one from its start and one from its end, their hidden states side by
/// side: (B, T, 2U), or (B, 2U) of the step each reads last. Keras's `Bidirectional` with `merge_mode="concat"`.
///
/// Masks as in Keras: the layer that starts from the end meets the masked steps of a short clip first and carries its
/// zero state through them. Parameters `NAME/forward/...` and `NAME/backward/...`.
package struct Bidirectional: SequenceLayer {
    package let name: String
    private let forwards: any RecurrentLayer
    private let backwards: any RecurrentLayer

    /// `backwards` is the layer that reads from the end; both have the same units.
    package init(_ name: String, forwards: any RecurrentLayer, backwards: any RecurrentLayer) {
        precondition(
            forwards.units == backwards.units && forwards.returnSequences == backwards.returnSequences,
            "\(name): directions of \(forwards.units) and \(backwards.units) units")
        self.name = name
        self.forwards = forwards
        self.backwards = backwards
    }

    package var units: Int { forwards.units }

    package func outputShape(_ input: Shape) -> Shape {
        forwards.returnSequences ? [input[0], 2 * units] : [2 * units]
    }

    package func forward(_ input: Tensor, mask: Tensor?, _ context: Context) -> Saved {
        let output = context.workspace.take(outputShape(input.shape.dropFirst).prepending(input.shape[0]))
        let first = context.workspace.take([forwards.recordCount(input.shape)])
        let second = context.workspace.take([backwards.recordCount(input.shape)])
        forwards.run(input, mask: mask, record: first, output: RecurrenceOutput(output), context)
        backwards.run(input, mask: mask, record: second, output: RecurrenceOutput(output, offset: units), context)
        var saved = Saved(input: input, output: output)
        (saved.extra.0, saved.extra.1) = (first, second)
        return saved
    }

    package func backward(_ dOutput: Tensor, _ saved: Saved, mask: Tensor?, _ context: Context, needsInputGradient: Bool) -> Tensor? {
        guard let first = saved.extra.0, let second = saved.extra.1 else {
            preconditionFailure("\(name): backward without the records of a forward run")
        }
        let dInput = needsInputGradient ? context.workspace.take(saved.input.shape) : nil
        let shape = saved.input.shape
        forwards.runBackward(
            RecurrenceOutput(dOutput), record: first, input: shape, mask: mask, dInput: dInput, accumulate: false, context)
        backwards.runBackward(
            RecurrenceOutput(dOutput, offset: units), record: second, input: shape, mask: mask, dInput: dInput, accumulate: true, context)
        return dInput
    }
}
