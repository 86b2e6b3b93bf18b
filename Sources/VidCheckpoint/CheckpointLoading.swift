import VidModel
import VidTensor

extension Checkpoint {
    /// Fills `store` with the model's weights.
    ///
    /// The checkpoint must hold all of the store's tensors with the same shapes, and no others but the optimiser's, and all
    /// their values must be finite; otherwise one `.badData` error lists the first differences and the store is as it was.
    package func load(into store: ParameterStore) throws {
        let differences = differences(from: store)
        if !differences.isEmpty {
            let more = differences.count > 4 ? "; and \(differences.count - 4) more" : ""
            throw VidclassError.file(
                path, "it is not a checkpoint of this model: \(differences.prefix(4).joined(separator: "; "))\(more)")
        }
        let found = store.slices.compactMap { slice in file.entry(named: slice.name).map { (slice, $0) } }
        for (_, entry) in found { try file.requireFinite(entry) }
        for (slice, entry) in found { try file.read(entry, into: store.value(slice)) }
        store.didChange()
    }

    /// What `load(into:)` would object to, in the order of the store, then of the file: names and shapes.
    package func differences(from store: ParameterStore) -> [String] {
        var differences: [String] = []
        for slice in store.slices {
            guard let entry = file.entry(named: slice.name) else {
                differences.append("\(slice.name) \(slice.shape) is missing")
                continue
            }
            if entry.shape != slice.shape.dimensions {
                differences.append("\(slice.name) is \(entry.shapeText), expected \(slice.shape)")
            }
        }
        let known = Set(store.slices.map(\.name))
        for entry in file.entries where !known.contains(entry.name) && !entry.name.hasPrefix(Checkpoint.optimizerPrefix) {
            differences.append("\(entry.name.quoted) \(entry.shapeText) is not in the model")
        }
        return differences
    }

    /// The tensor named `name`; nil where there is none.
    package func tensor(named name: String) -> SafetensorsEntry? { file.entry(named: name) }

    /// Reads the tensor `name`, which must be there with the shape of `tensor` and finite values.
    package func copy(_ name: String, into tensor: Tensor) throws {
        guard let entry = file.entry(named: name) else {
            throw VidclassError.file(path, "tensor \(name.quoted) is missing; expected one of \(tensor.shape)")
        }
        guard entry.shape == tensor.shape.dimensions else {
            throw VidclassError.file(path, "tensor \(name.quoted) is \(entry.shapeText), expected \(tensor.shape)")
        }
        try file.requireFinite(entry)
        try file.read(entry, into: tensor)
    }
}
