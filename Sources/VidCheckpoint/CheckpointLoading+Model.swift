import VidModel
import VidSystem
import VidTensor

extension Checkpoint {
    /// Opens a checkpoint and loads the weights of a new model in the pass over the file that verifies it.
    ///
    /// - Parameter make: makes the model and its store for the header, which has not been verified then: an error of a damaged file comes
    ///   before that of `make`.
    /// - Throws: what `open` and `load(into:)` would throw. The store's values are not valid then.
    package static func open<Model>(
        _ path: String, making make: (Checkpoint) throws -> (model: Model, store: ParameterStore)
    ) throws -> (checkpoint: Checkpoint, model: Model) {
        let (checkpoint, (model, target)) = try reading(SafetensorsFile(path)) { checkpoint in
            let (model, store) = try make(checkpoint)
            return (model, try LoadingPass(checkpoint, into: store))
        } values: { made, block in
            made.1.take(block)
        }
        try target.finish()
        return (checkpoint, model)
    }
}

/// The values of a checkpoint on their way into a store, block by block.
private final class LoadingPass {
    private let checkpoint: Checkpoint
    private let store: ParameterStore
    /// The store's parameter of each tensor that is one, in the order of the file.
    private let places: [(entry: SafetensorsEntry, slice: ParameterSlice?)]
    private var next = 0
    private var position: Int
    /// For each parameter with one, the first value that is not finite.
    private var faults: [String: VidclassError] = [:]

    init(_ checkpoint: Checkpoint, into store: ParameterStore) throws {
        try checkpoint.requireTensors(store.slices.map { ($0.name, $0.shape) })
        let slices = Dictionary(uniqueKeysWithValues: store.slices.map { ($0.name, $0) })
        self.checkpoint = checkpoint
        self.store = store
        places = checkpoint.tensors.map { ($0, slices[$0.name]) }
        position = checkpoint.file.dataStart
    }

    /// Takes the next bytes of the file. Tensors cover it without holes, and blocks have whole values.
    func take(_ block: UnsafeRawBufferPointer) {
        let end = position + block.count
        while next < places.count {
            let (entry, slice) = places[next]
            let part = max(entry.bytes.lowerBound, position)..<min(entry.bytes.upperBound, end)
            if let slice, !part.isEmpty {
                copy(UnsafeRawBufferPointer(rebasing: block[part.lowerBound - position..<part.upperBound - position]), entry, slice, part)
            }
            guard entry.bytes.upperBound <= end else { break }
            next += 1
        }
        position = end
    }

    private func copy(_ bytes: UnsafeRawBufferPointer, _ entry: SafetensorsEntry, _ slice: ParameterSlice, _ part: Range<Int>) {
        let first = (part.lowerBound - entry.bytes.lowerBound) / MemoryLayout<Float>.stride
        let values = bytes.assumingMemoryBound(to: Float.self)
        if faults[entry.name] == nil, let index = Finiteness.firstNonFinite(values) {
            faults[entry.name] = Finiteness.error(checkpoint.path, entry.name, index: first + index, values[index])
        }
        UnsafeMutableRawPointer(store.value(slice).base + first).copyMemory(from: bytes.baseAddress!, byteCount: bytes.count)
    }

    /// - Throws: `.badData` if a value is not finite.
    func finish() throws {
        if let fault = store.slices.lazy.compactMap({ self.faults[$0.name] }).first { throw fault }
        store.didChange()
    }
}
