import VidSystem
import VidTensor
import VidTrain

/// The file of one clip's features: a sealed safetensors file with one tensor, `features`.
///
/// Its metadata: `format` = `vidclass-features`, `version` = `1`, `key` (of `FeatureKey`), `valid_frames` (the number of
/// frames that are not masked), `checksum` (see `SealedSafetensors`).
enum FeatureFile {
    private static let format = "vidclass-features"
    private static let version = "1"
    private static let tensor = "features"

    /// The content of the file to be written to `path`.
    static func seal(_ path: String, _ key: FeatureKey, _ features: Tensor, validFrames: Int) throws -> SealedSafetensors.Image {
        let metadata = ["format": format, "version": version, "key": key.digest, "valid_frames": String(validFrames)]
        return try SealedSafetensors.seal(path, metadata: metadata, tensors: [NamedTensor(tensor, features)])
    }

    /// Checks and reads `file` in one pass over its values; returns the number of valid frames.
    ///
    /// Returns nil if the file is intact but has another shape or version. Throws `.badData` if it is not the file that was
    /// written under `key`. `features` is valid only if a number is returned.
    static func read(_ file: RegularFile, _ key: FeatureKey, into features: Tensor) throws -> Int? {
        let file = try SafetensorsFile(file)
        guard file.entries.count == 1, let entry = file.entry(named: tensor), entry.type == .float32 else {
            throw VidclassError.file(file.path, "expected one tensor, \(tensor.quoted) of F32")
        }
        let isExpected = entry.shape == features.shape.dimensions
        var done = 0
        try SealedSafetensors.verify(file) { block in
            guard isExpected else { return }
            let values = block.assumingMemoryBound(to: Float.self)
            if let index = Finiteness.firstNonFinite(values) {
                throw Finiteness.error(file.path, tensor, index: done + index, values[index])
            }
            UnsafeMutableRawBufferPointer(start: features.base + done, count: block.count).copyMemory(from: block)
            done += values.count
        }
        guard file.metadata["format"] == format, file.metadata["key"] == key.digest else {
            throw VidclassError.file(file.path, "expected the features \(key.digest) in a file of the format \(format.quoted)")
        }
        guard isExpected, file.metadata["version"] == version else { return nil }
        guard let frames = file.metadata["valid_frames"].flatMap(DecimalText.whole), features.shape.rank > 0,
            (0...features.shape[0]).contains(frames)
        else {
            throw VidclassError.file(file.path, "its metadata's \"valid_frames\" is not a number of frames")
        }
        return frames
    }
}
