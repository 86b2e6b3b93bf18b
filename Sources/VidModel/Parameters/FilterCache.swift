import VidTensor

/// The kernels of a parameter store transformed for Winograd convolutions: each made when it is first asked for, and again
/// when its parameter has changed. So frozen kernels are transformed once, trained ones once a step.
///
/// Four times a kernel's memory for each direction asked for. Not to be used from two threads at once.
package final class FilterCache {
    private let parameters: ParameterStore
    private var entries: [Key: Entry] = [:]

    private struct Key: Hashable {
        let kernel: ParameterID
        let direction: WinogradFilters.Direction
    }

    private struct Entry {
        let filters: WinogradFilters
        var version: Int
    }

    package init(_ parameters: ParameterStore) { self.parameters = parameters }

    /// The transformed kernel, up to date.
    package func filters(_ kernel: ParameterID, _ direction: WinogradFilters.Direction, _ context: Context) -> WinogradFilters {
        precondition(context.parameters === parameters, "a cache of another store's filters")
        let key = Key(kernel: kernel, direction: direction)
        let version = parameters.version(of: kernel)
        if let entry = entries[key], entry.version == version { return entry.filters }
        let value = parameters.value(kernel)
        let filters = entries[key]?.filters ?? WinogradFilters(direction, kernelShape: value.shape)
        filters.update(value, workers: context.workers, workspace: context.workspace)
        entries[key] = Entry(filters: filters, version: version)
        return filters
    }

    /// Bytes held now.
    package var bytes: Int { entries.values.reduce(0) { $0 + $1.filters.bytes } }
}
