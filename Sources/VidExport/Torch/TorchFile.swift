import VidCheckpoint
import VidConfig
import VidModel
import VidSystem
import VidTensor

/// The weights of a network with PyTorch's names and layouts, in safetensors, and the source of a Python module that rebuilds it.
///
/// The model takes (batch, T, channels, rows, columns), or vectors (batch, T, F), and where short clips are masked `length`, (batch), the
/// number of frames that count. The encoder takes (batch, channels, rows, columns), the head a clip's features.
package struct TorchFile: ExportedFile {
    package let tensors: [ExportedTensor]
    private let metadata: [String: String]
    /// The model's input and output in words.
    private let title: String
    private let classes: [String]
    private let labels: [String]

    package init(_ network: ExportedNetwork, _ part: ExportedPart) {
        metadata = Dictionary(network.metadata(part) + [("format", "pt")]) { first, _ in first }
        labels = network.classes
        title = TorchFile.title(network, part)
        let encoder = part == .head ? nil : TorchFrames(network, prefix: part == .encoder ? "" : "encoder.")
        let head = part == .encoder ? nil : TorchHead(network, hasEncoder: encoder != nil)
        tensors = (encoder?.tensors ?? []) + (head?.tensors ?? [])
        let arguments = network.isMasked ? "x, length" : "x"
        classes = [
            encoder.map { $0.module.source(head == nil ? "Model" : "Encoder", arguments: "x", result: $0.result) },
            head?.module.source("Model", arguments: arguments, result: "x"),
        ].compactMap { $0 }
    }

    private static func title(_ network: ExportedNetwork, _ part: ExportedPart) -> String {
        let (steps, extents) = (network.input.frames, network.frameShape.dimensions)
        let frame = extents.count == 3 ? [extents[2], extents[0], extents[1]] : extents
        let shape = part == .head ? [steps, network.features] : (part == .whole ? [steps] : []) + frame
        let taken = "x (batch, \(shape.map(String.init).joined(separator: ", ")))"
        let content = part == .head ? "features" : network.preprocessing == nil ? "vectors" : "pixels from 0 to 255"
        if part == .encoder { return "\(taken), \(content) -> (batch, \(network.features)), features" }
        let length = network.isMasked ? " and length (batch), the number of frames that count," : ""
        return "\(taken), \(content),\(length) -> (batch, \(network.classes.count)), the scores of CLASSES"
    }

    package func write(to file: AtomicFile) throws {
        let buffer = try Buffer(allocating: tensors.reduce(0) { $0 + $1.count }, isZeroed: false)
        var offset = 0
        let named = tensors.map { tensor in
            let target = buffer.tensor([tensor.count], offset: offset)
            target.copy(from: tensor.values())
            offset += tensor.count
            return NamedTensor(tensor.name, target.reshaped(Shape(tensor.shape)))
        }
        try withExtendedLifetime(buffer) {
            try file.write(SafetensorsWriter.header(file.path, metadata: metadata, tensors: named))
            for tensor in named { try file.write(tensor.bytes) }
        }
    }

    package func readBack(_ path: String) throws -> [WrittenTensor] {
        let file = try SafetensorsFile(path)
        return try file.entries.map { entry in
            let buffer = try Buffer(allocating: entry.count)
            let tensor = buffer.tensor([entry.count])
            try file.read(entry, into: tensor)
            return WrittenTensor(name: entry.name, shape: entry.shape, values: tensor.array)
        }
    }

    // MARK: - The module

    private static let firstLine = "# Written by vidclass export."

    /// - Throws: `.usage` if at `module` is a file that vidclass has not written.
    package func checkModule(_ module: String, weights: String) throws {
        let isThere = (try? SystemCall.status(module)) != nil
        guard module != weights, try !isThere || RegularFile(module).begins(with: TorchFile.firstLine) else {
            throw VidclassError.file(
                module, "would be replaced by the model's source, and vidclass has not written it; give another --output", kind: .usage)
        }
    }

    /// Writes the Python module `path`, which loads the weights beside it.
    package func saveModule(to path: String, weights: String) throws {
        try AtomicFile.write(to: path, followingLink: true) { try $0.write(source(weights: PathText.name(weights)).utf8) }
    }

    private func source(weights: String) -> String {
        let used = TorchLibrary.all.filter { name, _ in classes.contains { $0.contains(name) } }.map(\.1)
        return """
            \(TorchFile.firstLine)
            \"""A video classifier for PyTorch, with its weights in the file WEIGHTS. It needs the packages torch and safetensors.

            `load()` gives the model. It takes
            \(title).
            \"""

            import math
            import pathlib

            import torch
            from safetensors.torch import load_file
            from torch import nn
            from torch.nn import functional as F

            CLASSES = \(JSONNode.array(labels.map { .string($0) }).text())
            WEIGHTS = pathlib.Path(__file__).with_name(\(JSONNode.string(weights).text()))


            \((used + classes).joined(separator: "\n\n"))

            def load(path=WEIGHTS):
                model = Model()
                model.load_state_dict(load_file(path))
                return model.eval()

            """
    }
}

extension RegularFile {
    fileprivate func begins(with text: String) throws -> Bool {
        try bytes(at: 0, count: min(size, text.utf8.count)).elementsEqual(text.utf8)
    }
}
