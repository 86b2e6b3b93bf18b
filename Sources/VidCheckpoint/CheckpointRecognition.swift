extension Checkpoint {
    /// The checkpoint in a safetensors file, verified; nil where the file says it is something else.
    package static func openIfOne(_ path: String) throws -> Checkpoint? {
        let file = try SafetensorsFile(path)
        return file.metadata["format"] == format ? try Checkpoint(file) : nil
    }
}
