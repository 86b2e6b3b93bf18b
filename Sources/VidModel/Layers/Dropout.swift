import VidTensor

/// Sets a share of its inputs to zero while training and scales the others by 1 / (1 - rate); Keras's `Dropout`.
///
/// The context's generator draws which ones, so that the bits do not depend on the number of threads.
package struct Dropout: Layer {
    package let name: String
    package let rate: Float

    package init(_ name: String, rate: Float) {
        self.name = name
        self.rate = rate
    }

    package func outputShape(_ input: Shape) -> Shape { input }

    package func forward(_ input: Tensor, _ context: Context) -> Saved {
        guard context.isTraining, rate > 0 else { return Saved(input: input, output: input) }
        let factors = context.workspace.take(input.shape)
        DropoutFactors.fill(factors, rate: rate, &context.random, context.workers)
        let output = context.workspace.take(input.shape)
        Elementwise.multiply(input, factors, into: output, context.workers)
        var saved = Saved(input: input, output: output)
        saved.factors = factors
        return saved
    }

    package func backward(_ dOutput: Tensor, _ saved: Saved, _ context: Context, needsInputGradient: Bool) -> Tensor? {
        guard needsInputGradient else { return nil }
        guard let factors = saved.factors else { return dOutput }
        let dInput = context.workspace.take(saved.input.shape)
        Elementwise.multiply(dOutput, factors, into: dInput, context.workers)
        return dInput
    }
}
