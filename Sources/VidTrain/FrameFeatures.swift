import VidData
import VidSystem
import VidTensor

/// The CNN's outputs for the frames of one file, so that it runs once on a frame that several windows contain, that a short clip
/// repeats, or that looks like another one to the last bit.
///
/// Frames are known by their content, whatever their numbers. Memory is bounded: frames that no recent clip contained are given up, and
/// encoded again if they come again. A frame's features do not depend on the frames that are encoded with it
/// (`Convolution`), so the bits are those of encoding every clip by itself.
package final class FrameFeatures {
    /// Frames on which the CNN ran.
    package private(set) var encoded = 0

    /// The frames of the recent clips, and those of the clips before them. A frame of `older` that is seen again moves up; when `recent`
    /// is full, the rest of `older` is given up.
    private var (recent, older): ([[UInt8]: [Float]], [[UInt8]: [Float]]) = ([:], [:])
    private let bytes: Int

    /// The largest `bytes` by default.
    package static let mostBytes = 256 << 20

    /// - Parameter bytes: of features to hold, besides those of one clip; nil for a small share of the free memory.
    package init(bytes: Int? = nil) {
        // The loading of a file, which is checked by itself, leaves a twentieth of what is free.
        self.bytes = bytes ?? min(FrameFeatures.mostBytes, Machine.grantableBytes / 32)
    }

    /// Fills `features` (T, F) with the features of the frames of `clip`.
    ///
    /// - Parameter encode: runs the CNN on some frames (N), N at most T, and writes their features (N, F).
    func fill(_ features: Tensor, _ clip: LoadedClip, _ encode: (_ frames: Clip, _ output: Tensor) -> Void) {
        let shape = clip.clip.shape
        let digests = clip.clip.withUnsafeBytes { bytes in
            let size = bytes.count / shape.frames
            return (0..<shape.frames).map {
                SHA256.digest(UnsafeRawBufferPointer(rebasing: bytes[$0 * size..<($0 + 1) * size]))
            }
        }
        var new: [[UInt8]: Int] = [:]
        for (place, digest) in digests.enumerated() where recent[digest] == nil && new[digest] == nil {
            if let known = older.removeValue(forKey: digest) { recent[digest] = known } else { new[digest] = place }
        }
        let places = new.values.sorted()
        if !places.isEmpty {
            let output = features.rows(0..<places.count)
            encode(clip.clip.selecting(places), output)
            encoded += places.count
            for (row, place) in places.enumerated() { recent[digests[place]] = output.rows(row..<row + 1).array }
        }
        for (place, digest) in digests.enumerated() {
            guard let known = recent[digest] else { preconditionFailure("frame \(place) was not encoded") }
            let row = features.rows(place..<place + 1)
            known.withUnsafeBufferPointer { row.base.update(from: $0.baseAddress!, count: row.count) }
        }
        if recent.count * features.shape.dropFirst.count * MemoryLayout<Float>.stride > bytes / 2 { (older, recent) = (recent, [:]) }
    }
}
