import VidModel
import VidSystem
import VidTensor

extension Checkpoint {
    /// Fills `store` with the model's weights.
    ///
    /// The checkpoint must hold all of the store's tensors with the same shapes, no others of the model (`isOfModel`), and all
    /// values must be finite. Otherwise it throws one `.badData` error with the first differences and leaves the store unchanged.
    package func load(into store: ParameterStore) throws {
        try requireTensors(store.slices.map { ($0.name, $0.shape) })
        let found = store.slices.compactMap { slice in file.entry(named: slice.name).map { (slice, $0) } }
        for (_, entry) in found { try file.requireFinite(entry) }
        for (slice, entry) in found { try file.read(entry, into: store.value(slice)) }
        store.didChange()
    }

    /// Throws what `load(into:)` would throw for a model of these parameters. To be called before any memory is allocated: a
    /// small file can ask for a large model.
    package func requireTensors(of layout: ParameterLayout) throws { try requireTensors(layout.tensors) }

    func requireTensors(_ expected: [(name: String, shape: Shape)]) throws {
        let differences = differences(from: expected)
        // guard: checkpoint-of-this-model
        guard differences.isEmpty else {
            let more = differences.count > 4 ? "; and \(differences.count - 4) more" : ""
            throw VidclassError.file(
                path, "it is not a checkpoint of this model: \(differences.prefix(4).joined(separator: "; "))\(more)")
        }
    }

    /// The differences in names and shapes, in the order of the model, then of the file.
    private func differences(from expected: [(name: String, shape: Shape)]) -> [String] {
        var differences: [String] = []
        for (name, shape) in expected {
            guard let entry = file.entry(named: name) else {
                differences.append("\(name) \(shape) is missing")
                continue
            }
            if entry.shape != shape.dimensions { differences.append("\(name) is \(entry.shapeText), expected \(shape)") }
        }
        let known = Set(expected.map(\.name))
        for entry in file.entries where !known.contains(entry.name) && Checkpoint.isOfModel(entry.name) {
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
