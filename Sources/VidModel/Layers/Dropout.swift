import VidTensor

/// Sets a share of its inputs to zero while training and scales the others by 1 / (1 - rate); Keras's `Dropout`.
///
/// Which ones is drawn from the pass's generator, so that the bits do not depend on the number of threads.
package struct Dropout: Layer {
    package let name: String
    package let rate: Float

    package init(_ name: String, rate: Float) {
        self.name = name
        self.rate = rate
    }

    package func outputShape(_ input: Shape) -> Shape { input }

    package func forward(_ input: Tensor, _ pass: Pass) -> Saved {
        guard pass.isTraining, rate > 0 else { return Saved(input: input, output: input) }
        let factors = pass.workspace.take(input.shape)
        DropoutFactors.fill(factors, rate: rate, &pass.random, pass.workers)
        let output = pass.workspace.take(input.shape)
        Elementwise.multiply(input, factors, into: output, pass.workers)
        var saved = Saved(input: input, output: output)
        saved.extra.0 = factors
        return saved
    }

    package func backward(_ dOutput: Tensor, _ saved: Saved, _ pass: Pass, needsInputGradient: Bool) -> Tensor? {
        guard needsInputGradient else { return nil }
        guard let factors = saved.extra.0 else { return dOutput }
        let dInput = pass.workspace.take(saved.input.shape)
        Elementwise.multiply(dOutput, factors, into: dInput, pass.workers)
        return dInput
    }
}
