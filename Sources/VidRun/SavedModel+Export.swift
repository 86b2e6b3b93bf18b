import VidExport
import VidSystem

extension SavedModel {
    /// The model, or a part of it, in another program's format.
    ///
    /// - Parameters:
    ///   - onnx: what ONNX leaves open.
    ///   - version: this program's.
    /// - Throws: `.usage` if the model has no such part, `.badData` if the format has no counterpart of an option of the model.
    package func export(_ format: ModelExport.Format, _ part: ExportedPart, _ onnx: ONNXFile.Options, version: String) throws -> ModelExport
    {
        do {
            return try ModelExport(ExportedNetwork(classifier, configuration, checkpoint: checksum), format, part, onnx, version: version)
        } catch let error as VidclassError {
            throw VidclassError.file(path, error.message, kind: error.kind)
        }
    }
}
