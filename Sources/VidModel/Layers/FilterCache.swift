import VidSystem
import VidTensor

/// Data derived from a parameter store's kernels: in the form that a convolution's algorithm reads, or folded with the batch
/// normalisation behind them. Each is computed when it is first asked for and again after its parameters have changed: frozen ones once, trained
/// ones once a step.
///
/// A packed kernel takes the kernel's memory, one transformed for Winograd convolutions four times that. Not for use from two threads at once.
package final class FilterCache {
    private let parameters: ParameterStore
    private let workers: Workers
    private let workspace: Workspace
    private var entries: [Key: Entry] = [:]

    struct Key: Hashable {
        let kernel: ParameterID
        /// Nil: as it is.
        let form: PreparedFilters.Form?
        /// The scale of the batch normalisation that is folded in; nil: none.
        var gamma: ParameterID?
    }

    private struct Entry {
        /// Nil where the kernel stays as it is.
        let filters: PreparedFilters?
        /// The folded kernel where it stays as it is, and the folded bias (K).
        var kernel: Buffer?
        var bias: Buffer?
        /// The version of the parameters that it was computed from; nil before the first time.
        var version: Int?

        var bytes: Int { (filters?.bytes ?? 0) + ((kernel?.count ?? 0) + (bias?.count ?? 0)) * MemoryLayout<Float>.stride }
    }

    init(_ parameters: ParameterStore, _ workers: Workers, _ workspace: Workspace) {
        self.parameters = parameters
        self.workers = workers
        self.workspace = workspace
    }

    /// Finds the memory of a prepared kernel before it is first asked for.
    ///
    /// - Throws: `.other` if memory runs out.
    package func reserve(_ kernel: ParameterID, _ form: PreparedFilters.Form) throws(VidclassError) {
        let key = Key(kernel: kernel, form: form)
        guard entries[key] == nil else { return }
        entries[key] = Entry(filters: try PreparedFilters(form, kernelShape: parameters.slice(kernel).shape))
    }

    /// The prepared kernel, up to date.
    func filters(_ kernel: ParameterID, _ form: PreparedFilters.Form) -> PreparedFilters {
        let key = Key(kernel: kernel, form: form)
        let version = parameters.version(of: kernel)
        if entries[key] == nil { try? reserve(kernel, form) }
        guard let filters = entries[key]?.filters else {
            preconditionFailure("the prepared kernel \(parameters.slice(kernel).shape) was not reserved and cannot be allocated")
        }
        if entries[key]?.version == version { return filters }
        filters.update(parameters.value(kernel), workers: workers, workspace: workspace)
        entries[key]?.version = version
        return filters
    }

    /// Bytes in use.
    package var bytes: Int { entries.values.reduce(0) { $0 + $1.bytes } }
}

// MARK: - Folding

/// The parameters of a batch normalisation over maps, (C) each.
package struct NormalizationParameters: Sendable {
    package let gamma: ParameterID
    package let beta: ParameterID
    package let movingMean: ParameterID
    package let movingVariance: ParameterID
    package let epsilon: Float
}

/// A convolution and the batch normalisation behind it, which inference folds into its kernel and bias.
struct Folding {
    let kernel: ParameterID
    let bias: ParameterID?
    let normalization: NormalizationParameters
    /// The form of the folded kernel; nil: as it is.
    let form: PreparedFilters.Form?

    var key: FilterCache.Key { .init(kernel: kernel, form: form, gamma: normalization.gamma) }
}

extension FilterCache {
    /// Finds the memory of a folded kernel before it is first asked for.
    ///
    /// - Throws: `.other` if memory runs out.
    func reserve(_ folding: Folding) throws(VidclassError) {
        guard entries[folding.key] == nil else { return }
        let shape = parameters.slice(folding.kernel).shape
        var filters: PreparedFilters?
        if let form = folding.form { filters = try PreparedFilters(form, kernelShape: shape) }
        let kernel = filters == nil ? try Buffer(allocating: shape.count, isZeroed: false) : nil
        entries[folding.key] = Entry(filters: filters, kernel: kernel, bias: try Buffer(allocating: shape.last, isZeroed: false))
    }

    /// The folded bias (K) and the folded kernel, as it is or in its form, up to date.
    func folded(_ folding: Folding) -> (kernel: Tensor?, bias: Tensor, filters: PreparedFilters?) {
        let key = folding.key
        if entries[key] == nil { try? reserve(folding) }
        guard let entry = entries[key], let bias = entry.bias else {
            preconditionFailure("the folded kernel \(parameters.slice(folding.kernel).shape) was not reserved and cannot be allocated")
        }
        let normalization = folding.normalization
        let shape = parameters.slice(folding.kernel).shape
        let biasValue = bias.tensor([shape.last])
        // Moving statistics change only with the parameters that are trained beside them.
        let version = max(parameters.version(of: folding.kernel), parameters.version(of: normalization.gamma))
        if entry.version != version {
            let mark = workspace.mark
            defer { workspace.release(to: mark) }
            let target = entry.kernel?.tensor(shape) ?? workspace.take(shape)
            BatchNorm.fold(
                kernel: parameters.value(folding.kernel), bias: folding.bias.map(parameters.value),
                gamma: parameters.value(normalization.gamma), beta: parameters.value(normalization.beta),
                mean: parameters.value(normalization.movingMean), variance: parameters.value(normalization.movingVariance),
                epsilon: normalization.epsilon, foldedKernel: target, foldedBias: biasValue)
            entry.filters?.update(target, workers: workers, workspace: workspace)
            entries[key]?.version = version
        }
        return (entry.kernel?.tensor(shape), biasValue, entry.filters)
    }
}
