import VidTensor

/// The tensors that a layer's `forward` saves for its `backward`, in the context's workspace or owned by the caller.
///
/// Layers that need more than input and output have a field of their own. All fields are stored inline: saving allocates nothing.
package struct Saved {
    package let input: Tensor
    package let output: Tensor
    /// Dropout's factors, shaped as the input; nil where nothing was dropped.
    var factors: Tensor?
    /// The batch's mean and variance (F) each, where batch normalisation used them.
    var statistics: (mean: Tensor, variance: Tensor)?
    /// The mean and 1 / deviation of each row, where layer normalisation used them.
    var rowStatistics: (mean: Tensor, inverse: Tensor)?
    /// The windows of a convolution over time, (B x T, K F).
    var windows: Tensor?
    /// The heads of an attention, and the sum that it normalises.
    var attention: (heads: DotProductAttention.Saved, sum: Tensor)?
    /// The steps of a recurrent layer; those of a bidirectional layer's forward direction.
    var recurrence: Recurrence.Saved?
    /// The steps of a bidirectional layer's backward direction.
    var reversedRecurrence: Recurrence.Saved?

    package init(input: Tensor, output: Tensor) {
        self.input = input
        self.output = output
    }
}

/// A layer over a batch of samples (the first axis): frames for the CNN, clips for the head.
///
/// A struct of hyperparameters and `ParameterID`s. `backward` takes what `forward` saved, adds (`+=`) the gradients of
/// its trainable parameters to the store, and returns the gradient of its input in the workspace, or nil when it was not
/// asked for. The same bits come out at any thread count.
package protocol Layer: Sendable {
    /// Keras's name of the layer, such as `block1_conv1`; unique in the network.
    var name: String { get }

    /// The shape of one output sample for one input sample, without the batch axis.
    func outputShape(_ input: Shape) -> Shape

    func forward(_ input: Tensor, _ context: Context) -> Saved

    func backward(_ dOutput: Tensor, _ saved: Saved, _ context: Context, needsInputGradient: Bool) -> Tensor?
}

/// A layer over sequences (B, T, F) that treats masked steps as Keras's masking does.
///
/// `mask` is (B, T) of ones and zeros, or nil when every step counts. A recurrent layer carries its state through a
/// masked step; a mean over time leaves it out.
package protocol SequenceLayer: Sendable {
    var name: String { get }

    /// The shape of one output sample for an input sample (T, F): (T, F') or (F').
    func outputShape(_ input: Shape) -> Shape

    func forward(_ input: Tensor, mask: Tensor?, _ context: Context) -> Saved

    func backward(_ dOutput: Tensor, _ saved: Saved, mask: Tensor?, _ context: Context, needsInputGradient: Bool) -> Tensor?
}

/// A layer of the CNN: each frame by itself, as maps (N, H, W, C) or vectors (N, F).
///
/// Its two functions write where they are told and take nothing from the workspace that outlives the call, so that a
/// `FrameEncoder` decides what is saved. Results have the same bits whatever number of frames is passed at once.
package protocol FrameLayer: Layer {
    /// Keras's name of this kind of layer, such as `Conv2D`.
    var type: String { get }

    /// The number of floats in its parameters.
    var parameterCount: Int { get }

    /// Whether it has parameters that are trained.
    var isTrainable: Bool { get }

    /// Whether it ends in a ReLU.
    var hasReLU: Bool { get }

    /// Whether `backward` may write on `dOutput`.
    var overwritesOutputGradient: Bool { get }

    /// Whether `backward` may write the gradient of its input over the input, for input samples of shape `input`: it must have
    /// read each value before it writes there.
    func canOverwriteInput(_ input: Shape, _ rectified: RectifiedGradients) -> Bool

    /// Multiplications and additions for one input sample of shape `input`; 0 where they do not matter.
    func flops(_ input: Shape) -> Double

    /// The name of the algorithm for input samples of shape `input`; nil where there is no choice.
    func algorithmName(_ input: Shape) -> String?

    /// Bytes of scratch memory during `forward`, or with `gradients` during either pass, on so many workers.
    func scratchBytes(_ input: Shape, workers: Int, gradients: Bool) -> Int

    /// Bytes of the layer's transformed kernels in the `FilterCache`: for the forward pass and, with `inputGradient`, for the
    /// input's gradient.
    func filterBytes(_ input: Shape, inputGradient: Bool) -> Int

    /// Finds the memory of `filterBytes`.
    ///
    /// - Throws: `.other` if memory runs out.
    func reserveFilters(_ input: Shape, inputGradient: Bool, _ filters: FilterCache) throws

    func forward(_ input: Tensor, into output: Tensor, _ context: Context)

    /// Adds the parameters' gradients, and writes the input's to `dInput` unless it is nil. `input` and `output` are those of
    /// `forward`.
    func backward(_ dOutput: Tensor, input: Tensor, output: Tensor, into dInput: Tensor?, _ context: Context)

    /// As `backward`, with the ReLUs of the layer and of the one before it applied where that is cheapest.
    func backward(_ dOutput: Tensor, input: Tensor, output: Tensor, into dInput: Tensor?, rectified: RectifiedGradients, _ context: Context)
}

/// The gradients of ReLUs that are computed along with another layer's, to save a pass over the maps.
package struct RectifiedGradients: Sendable {
    /// dOutput is already 0 where the output is not positive: the layer's own ReLU is done.
    package var output = false
    /// dInput must be 0 where the input is not positive: the layer also does the ReLU before it.
    package var input = false

    package init() {}
}

extension FrameLayer {
    package var parameterCount: Int { 0 }
    package var isTrainable: Bool { false }
    package var hasReLU: Bool { false }
    package var overwritesOutputGradient: Bool { false }

    package func canOverwriteInput(_ input: Shape, _ rectified: RectifiedGradients) -> Bool { false }

    package func flops(_ input: Shape) -> Double { 0 }

    package func algorithmName(_ input: Shape) -> String? { nil }

    package func scratchBytes(_ input: Shape, workers: Int, gradients: Bool) -> Int { 0 }

    package func filterBytes(_ input: Shape, inputGradient: Bool) -> Int { 0 }

    package func reserveFilters(_ input: Shape, inputGradient: Bool, _ filters: FilterCache) throws {}

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

    /// For layers without a ReLU of their own.
    package func backward(
        _ dOutput: Tensor, input: Tensor, output: Tensor, into dInput: Tensor?, rectified: RectifiedGradients, _ context: Context
    ) {
        precondition(!hasReLU, "\(name) must apply its ReLU itself")
        backward(dOutput, input: input, output: output, into: dInput, context)
        if rectified.input, let dInput { Rectifier.gradient(output: input, dOutput: dInput, dInput: dInput, workers: context.workers) }
    }
}

/// A line of the table of layers.
package struct LayerSummary: Sendable, Equatable {
    /// Keras's name of the layer, such as `block1_conv1`.
    package let name: String
    /// Keras's name of this kind of layer, such as `Conv2D`.
    package let type: String
    /// For one sample: a frame for the CNN, a clip for the head.
    package let outputShape: Shape
    package let parameters: Int
    package let isTrainable: Bool

    package init(name: String, type: String, outputShape: Shape, parameters: Int, isTrainable: Bool) {
        self.name = name
        self.type = type
        self.outputShape = outputShape
        self.parameters = parameters
        self.isTrainable = isTrainable
    }
}
