import VidCheckpoint
import VidSystem
import VidTensor

/// A file of reference numbers made by maintain.goldens: tensors named `case/tensor`.
package final class Golden {
    private let file: SafetensorsFile
    private var buffers: [Buffer] = []

    /// Opens the safetensors file at `path`.
    package init(path: String) throws { file = try SafetensorsFile(path) }

    /// The script's notes as JSON: seed, versions, and for a training its config.
    package var note: String { file.metadata["golden"] ?? "{}" }

    /// The names of all tensors.
    package var names: [String] { file.entries.map(\.name) }

    package func contains(_ name: String) -> Bool { file.entry(named: name) != nil }

    /// A tensor's values, in memory that lives as long as the golden.
    package func tensor(_ name: String) throws -> Tensor {
        guard let entry = file.entry(named: name) else { throw VidclassError.file(file.path, "no tensor \(name)") }
        let buffer = Buffer(count: entry.count)
        buffers.append(buffer)
        let tensor = buffer.tensor(Shape(entry.shape))
        try file.read(entry, into: tensor)
        return tensor
    }

    package func values(_ name: String) throws -> [Float] { try tensor(name).array }

    /// The names of the parameters of a layer's case: all tensors but input, output, mask and gradients.
    package func parameters(of layerCase: String) -> [String] {
        names.filter { $0.hasPrefix("\(layerCase)/") }.map { String($0.dropFirst(layerCase.count + 1)) }
            .filter { !["input", "output", "mask"].contains($0) && !$0.hasPrefix("d_") }
    }
}
