import VidConfig
import VidTensor

/// An activation function as a layer of its own, over any tensor; softmax runs over the last axis.
package struct Activation: Layer {
    package let name: String
    package let function: ActivationName

    package init(_ name: String, _ function: ActivationName) {
        self.name = name
        self.function = function
    }

    package func outputShape(_ input: Shape) -> Shape { input }

    package func forward(_ input: Tensor, _ context: Context) -> Saved {
        let output = context.workspace.take(input.shape)
        ActivationFunction.forward(function, input, into: output, context.workers)
        return Saved(input: input, output: output)
    }

    package func backward(_ dOutput: Tensor, _ saved: Saved, _ context: Context, needsInputGradient: Bool) -> Tensor? {
        guard needsInputGradient else { return nil }
        let dInput = context.workspace.take(saved.input.shape)
        ActivationFunction.backward(function, output: saved.output, dOutput, into: dInput, context.workers)
        return dInput
    }
}
