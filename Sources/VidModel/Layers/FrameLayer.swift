import VidTensor

/// A layer of the network that sees single frames: maps (N, H, W, C) or vectors (N, F), each frame by itself.
///
/// Its two functions write where they are told and take nothing from the workspace that outlives the call, so that a
/// `FrameEncoder` decides what is kept. Results have the same bits whatever number of frames is passed at once.
package protocol FrameLayer: Layer {
    /// The kind of layer as Keras calls it, such as `Conv2D`.
    var type: String { get }

    /// Numbers in its parameters.
    var parameterCount: Int { get }

    /// Whether it has parameters that are trained.
    var isTrainable: Bool { get }

    /// Whether `backward` may write on `dOutput`.
    var overwritesOutputGradient: Bool { get }

    /// Whether `backward` may be given the input's own place for its gradient, for input samples of shape `input`: it is done
    /// with a value of the input before it writes there.
    func canOverwriteInput(_ input: Shape, _ rectified: RectifiedGradients) -> Bool

    /// Multiplications and additions for one input sample of shape `input`; 0 where they do not matter.
    func flops(_ input: Shape) -> Double

    /// How it is computed for input samples of shape `input`, where there is a choice.
    func algorithmName(_ input: Shape) -> String?

    /// Bytes of scratch it takes during `forward`, or with `gradients` during either pass, on so many workers.
    func scratchBytes(_ input: Shape, workers: Int, gradients: Bool) -> Int

    /// Bytes of what a pass keeps transformed of the layer's parameters, for the forward pass and with `inputGradient` for
    /// that, too.
    func filterBytes(_ input: Shape, inputGradient: Bool) -> Int

    func forward(_ input: Tensor, into output: Tensor, _ context: Context)

    /// From the gradient of the output: adds the parameters' gradients, and writes the input's to `dInput` unless it is
    /// nil. `input` and `output` are those of `forward`.
    func backward(_ dOutput: Tensor, input: Tensor, output: Tensor, into dInput: Tensor?, _ context: Context)

    /// Whether it ends in a ReLU.
    var hasReLU: Bool { get }

    /// As `backward`, with the ReLUs of the layer and of the one before it taken where it costs least.
    func backward(_ dOutput: Tensor, input: Tensor, output: Tensor, into dInput: Tensor?, rectified: RectifiedGradients, _ context: Context)
}

/// Where the gradient of a ReLU is taken along with another layer's, to save a pass over the maps.
package struct RectifiedGradients: Sendable {
    /// dOutput is already 0 where the output is not positive, so that the layer need not see to its own ReLU.
    package var output = false
    /// dInput is to be 0 where the input is not positive: the gradient of the ReLU before the layer.
    package var input = false

    package init() {}
}

extension FrameLayer {
    package var parameterCount: Int { 0 }
    package var isTrainable: Bool { false }
    package var overwritesOutputGradient: Bool { false }

    package func forward(_ input: Tensor, _ context: Context) -> Saved {
        let output = context.workspace.take(outputShape(input.shape.dropFirst).prepending(input.shape[0]))
        forward(input, into: output, context)
        return Saved(input: input, output: output)
    }

    package func backward(_ dOutput: Tensor, _ saved: Saved, _ context: Context, needsInputGradient: Bool) -> Tensor? {
        var gradient = dOutput
        if overwritesOutputGradient {
            gradient = context.workspace.take(dOutput.shape)
            gradient.copy(from: dOutput)
        }
        let dInput = needsInputGradient ? context.workspace.take(saved.input.shape) : nil
        backward(gradient, input: saved.input, output: saved.output, into: dInput, context)
        return dInput
    }

    package var hasReLU: Bool { false }

    package func canOverwriteInput(_ input: Shape, _ rectified: RectifiedGradients) -> Bool { false }

    /// For layers without a ReLU of their own.
    package func backward(
        _ dOutput: Tensor, input: Tensor, output: Tensor, into dInput: Tensor?, rectified: RectifiedGradients, _ context: Context
    ) {
        precondition(!hasReLU, "\(name) must see to its ReLU itself")
        backward(dOutput, input: input, output: output, into: dInput, context)
        if rectified.input, let dInput { Rectifier.gradient(output: input, dOutput: dInput, dInput: dInput, workers: context.workers) }
    }

    package func flops(_ input: Shape) -> Double { 0 }

    package func algorithmName(_ input: Shape) -> String? { nil }

    package func scratchBytes(_ input: Shape, workers: Int, gradients: Bool) -> Int { 0 }

    package func filterBytes(_ input: Shape, inputGradient: Bool) -> Int { 0 }
}
