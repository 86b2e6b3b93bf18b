import VidTensor

/// What a pass through the network needs besides its input: the parameters, the threads, scratch memory, random numbers.
///
/// One per trainer or predictor. `workspace` holds activations and gradients of the pass under way; its owner resets it
/// between passes.
package final class Context {
    package let parameters: ParameterStore
    package let workers: Workers
    package let workspace: Workspace
    /// What is derived from the parameters.
    package let filters: FilterCache
    /// True while training: dropout drops, batch normalisation uses the batch's statistics.
    package var isTraining: Bool
    /// Dropout's random numbers; part of the saved state.
    package var random: RandomGenerator

    package init(parameters: ParameterStore, workers: Workers, random: RandomGenerator, isTraining: Bool = false) {
        self.parameters = parameters
        self.workers = workers
        self.workspace = Workspace()
        self.filters = FilterCache(parameters)
        self.random = random
        self.isTraining = isTraining
    }

    /// A pass that predicts, in the memory of one that trains: for when that is between two steps, or waits for its input.
    package init(predictingIn context: Context) {
        parameters = context.parameters
        workers = context.workers
        workspace = context.workspace
        filters = context.filters
        random = RandomGenerator(seed: 0)
        isTraining = false
    }
}

/// What `forward` keeps for `backward`: views into the pass's workspace (or into buffers of the caller).
package struct Saved {
    package var input: Tensor
    package var output: Tensor
    /// More that the layer wants back: gate activations, masks, argmax; the layer knows the order.
    package var extra: (Tensor?, Tensor?, Tensor?, Tensor?) = (nil, nil, nil, nil)

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

/// A layer over sequences (B, T, F) that understands masks: a masked step is treated as Keras's masking treats it.
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
