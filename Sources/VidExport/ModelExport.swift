import VidConfig
import VidSystem

/// A model in another program's format.
package struct ModelExport {
    package enum Format: String, CaseIterable, Sendable {
        case onnx, keras, torch
    }

    /// The name of the file where the user gives none.
    package var defaultName: String {
        switch file {
        case is KerasFile: "model.keras"
        case is TorchFile: "model.safetensors"
        default: "model.onnx"
        }
    }

    private let file: any ExportedFile

    /// - Parameters:
    ///   - onnx: what ONNX leaves open.
    ///   - version: this program's.
    /// - Throws: `.usage` if the model has no such part, `.badData` if the format has no counterpart of an option of the model.
    package init(
        _ network: ExportedNetwork, _ format: Format, _ part: ExportedPart, _ onnx: ONNXFile.Options = .init(), version: String
    ) throws {
        if part == .encoder, network.configuration.model.cnn == nil {
            throw VidclassError(.usage, "--part encoder: the model has no CNN; export it whole, or its head")
        }
        file =
            switch format {
            case .onnx: try ONNXFile(network, part, onnx, version: version)
            case .keras: try KerasFile(network, part)
            case .torch: TorchFile(network, part)
            }
    }

    /// The versions of ONNX's operators that there are.
    package static var opsets: ClosedRange<Int> { ONNXFile.opsets }

    /// Writes the files, each under its name only when it has been read back and holds the model; returns their paths.
    ///
    /// - Parameter checkpoint: the model's file, which is not replaced.
    /// - Throws: `.usage` if a file of the user's own would be replaced, `.badData` if the model is too large for one file, `.inputOutput` if
    ///   a file cannot be written or does not hold the model.
    package func write(to path: String, checkpoint: String) throws -> [String] {
        guard Folder.resolved(path) != Folder.resolved(checkpoint) else {
            throw VidclassError.file(path, "is the model that is to be exported; give another --output", kind: .usage)
        }
        guard let torch = file as? TorchFile else {
            try file.save(to: path)
            return [path]
        }
        let module = String(path.dropLast(PathText.name(path).count)) + PathText.stem(path) + ".py"
        try torch.checkModule(module, weights: path)
        try torch.save(to: path)
        try torch.saveModule(to: module, weights: path)
        return [path, module]
    }
}
