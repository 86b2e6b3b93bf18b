import VidSystem

/// Keras 3's `.keras` files: zip archives of a model's configuration and its weights in HDF5.
enum KerasArchive {
    private static let weights = "model.weights.h5"
    private static let mostBytes = Int(Int32.max)

    /// The CNN's weights. A file that `vidclass export` wrote tells its network; of others the names of layers tell it, as in `.weights.h5`.
    ///
    /// - Returns: nil if the file is no such archive.
    static func read(_ file: RegularFile, hdf5: HDF5Import) async throws -> ImportedWeights? {
        guard try file.bytes(at: 0, count: min(4, file.size)) == [0x50, 0x4B, 0x03, 0x04],
            let about = try? ZipFile.entry("metadata.json", of: file, limit: 1 << 18),
            let bytes = try ZipFile.entry(weights, of: file, limit: mostBytes)
        else { return nil }
        let text = (try? JSONParser.parse(about))?["vidclass"]?["config"]?.stringValue
        let network = try text.flatMap { try? JSONParser.parse($0) }.map { try WeightsFile.exportedNetwork($0, file.path) }
        let image = try MemoryFile(name: "vidclass-keras")
        try bytes.withUnsafeBytes { try image.append($0) }
        return try await hdf5.read(RegularFile(image.path), named: file.path, sha256: file.sha256(), network: network)
    }
}
