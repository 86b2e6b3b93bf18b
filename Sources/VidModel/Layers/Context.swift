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
}

/// The kernels of a parameter store transformed for Winograd convolutions. Each is transformed when it is first asked for and
/// again after its parameter has changed: frozen kernels once, trained ones once a step.
///
/// Each direction asked for takes four times the kernel's memory. Not for use from two threads at once.
package final class FilterCache {
    private let parameters: ParameterStore
    private let workers: Workers
    private let workspace: Workspace
    private var entries: [Key: Entry] = [:]

    private struct Key: Hashable {
        let kernel: ParameterID
        let direction: WinogradFilters.Direction
    }

    private struct Entry {
        let filters: WinogradFilters
        /// The version of the parameter that is transformed; nil before the first time.
        let version: Int?
    }

    init(_ parameters: ParameterStore, _ workers: Workers, _ workspace: Workspace) {
        self.parameters = parameters
        self.workers = workers
        self.workspace = workspace
    }

    /// Finds the memory of a transformed kernel before it is first asked for.
    ///
    /// - Throws: `.other` if memory runs out.
    package func reserve(_ kernel: ParameterID, _ direction: WinogradFilters.Direction) throws(VidclassError) {
        let key = Key(kernel: kernel, direction: direction)
        guard entries[key] == nil else { return }
        entries[key] = Entry(filters: try WinogradFilters(direction, kernelShape: parameters.slice(kernel).shape), version: nil)
    }

    /// The transformed kernel, up to date.
    func filters(_ kernel: ParameterID, _ direction: WinogradFilters.Direction) -> WinogradFilters {
        let key = Key(kernel: kernel, direction: direction)
        let version = parameters.version(of: kernel)
        if let entry = entries[key], entry.version == version { return entry.filters }
        let value = parameters.value(kernel)
        if entries[key] == nil { try? reserve(kernel, direction) }
        guard let filters = entries[key]?.filters else {
            preconditionFailure("the transformed kernel \(value.shape) was not reserved and cannot be allocated")
        }
        filters.update(value, workers: workers, workspace: workspace)
        entries[key] = Entry(filters: filters, version: version)
        return filters
    }

    /// Bytes in use.
    package var bytes: Int { entries.values.reduce(0) { $0 + $1.filters.bytes } }
}
