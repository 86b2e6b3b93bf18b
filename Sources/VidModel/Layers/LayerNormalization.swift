import VidConfig
import VidTensor

/// Keras's `LayerNormalization` over the last axis: each clip's vector, or each step's, has mean 0 and variance 1 before it is
/// scaled and shifted (Ba, Kiros and Hinton 2016, "Layer normalization").
///
/// Parameters `NAME/gamma` (F), ones, and `NAME/beta` (F), zeros. Masks do not matter: each step is normalised by itself.
package struct LayerNormalization: Layer, SequenceLayer {
    package let name: String
    package let epsilon: Float
    private let gamma: ParameterID
    private let beta: ParameterID

    package init(
        _ name: String, features: Int, options: LayerNormalizationOptions = LayerNormalizationOptions(), _ layout: inout ParameterLayout
    ) {
        self.name = name
        epsilon = options.epsilon
        gamma = layout.add("\(name)/gamma", [features], .ones)
        beta = layout.add("\(name)/beta", [features], .zeros)
    }

    package func outputShape(_ input: Shape) -> Shape { input }

    package func forward(_ input: Tensor, mask: Tensor?, _ context: Context) -> Saved { forward(input, context) }

    package func backward(_ dOutput: Tensor, _ saved: Saved, mask: Tensor?, _ context: Context, needsInputGradient: Bool) -> Tensor? {
        backward(dOutput, saved, context, needsInputGradient: needsInputGradient)
    }

    package func forward(_ input: Tensor, _ context: Context) -> Saved {
        let rows: Shape = [input.count / input.shape.last]
        let (mean, inverse) = (context.workspace.take(rows), context.workspace.take(rows))
        let output = context.workspace.take(input.shape)
        LayerNorm.forward(
            input, epsilon: epsilon, gamma: context.parameters.value(gamma), beta: context.parameters.value(beta), mean: mean,
            inverse: inverse, into: output, context.workers)
        var saved = Saved(input: input, output: output)
        saved.rowStatistics = (mean, inverse)
        return saved
    }

    package func backward(_ dOutput: Tensor, _ saved: Saved, _ context: Context, needsInputGradient: Bool) -> Tensor? {
        guard let (mean, inverse) = saved.rowStatistics else { preconditionFailure("\(name): backward without a forward pass") }
        let parameters = context.parameters
        if let dGamma = parameters.gradient(gamma), let dBeta = parameters.gradient(beta) {
            LayerNorm.addParameterGradients(
                saved.input, mean: mean, inverse: inverse, dOutput, dGamma: dGamma, dBeta: dBeta, context.workers)
        }
        guard needsInputGradient else { return nil }
        let dInput = context.workspace.take(saved.input.shape)
        LayerNorm.backward(
            saved.input, mean: mean, inverse: inverse, gamma: parameters.value(gamma), dOutput, into: dInput, context.workers)
        return dInput
    }
}
