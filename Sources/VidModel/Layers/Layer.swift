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
