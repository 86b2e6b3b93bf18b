import VidSystem
import VidTensor

/// Everything a forward or backward pass needs besides its input: parameters, threads, scratch memory, random numbers.
///
/// A trainer or predictor has one. `workspace` holds the activations and gradients of the current pass; its owner resets it
/// between passes.
package final class Context {
    package let parameters: ParameterStore
    package let workers: Workers
    package let workspace: Workspace
    package let filters: FilterCache
    /// True while training: dropout drops, batch normalisation uses the batch's statistics.
    package var isTraining: Bool
    /// Dropout's random numbers; part of the saved state.
    package var random: RandomGenerator
    /// Called in a backward pass as soon as it has added the last term to the gradients of a layer of the CNN, with the layer's name. The
    /// head's gradients are complete before.
    package var didFinishLayer: ((_ name: String) -> Void)?

    package init(parameters: ParameterStore, workers: Workers, random: RandomGenerator, isTraining: Bool = false) {
        self.parameters = parameters
        self.workers = workers
        workspace = Workspace()
        filters = FilterCache(parameters, workers, workspace)
        self.random = random
        self.isTraining = isTraining
    }

    /// A context for predictions in the memory of one for training, to be used between two steps or while that waits for its
    /// input.
    package init(predictingIn context: Context) {
        parameters = context.parameters
        workers = context.workers
        workspace = context.workspace
        filters = context.filters
        random = RandomGenerator(seed: 0)
        isTraining = false
    }

    /// A context for one of several threads that predict side by side, each with a workspace of its own. The filters that they use
    /// must be up to date.
    init(besideOthersIn context: Context, workspace: Workspace) {
        parameters = context.parameters
        workers = Workers(count: 1)
        self.workspace = workspace
        filters = context.filters
        random = RandomGenerator(seed: 0)
        isTraining = false
    }
}
