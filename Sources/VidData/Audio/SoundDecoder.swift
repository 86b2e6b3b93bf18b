import VidSystem

/// Decodes the first sound stream of a file in a reader: averages its channels and resamples it to one rate, as floats (full scale = 1).
package struct SoundDecoder: Sendable {
    /// Decoded samples per second.
    package let sampleRate: Int
    /// The largest number of samples that a file may have.
    package let maximumSamples: Int
    private let files: MediaFiles

    package init(sampleRate: Int, maximumSamples: Int, files: MediaFiles = MediaFiles()) {
        precondition(sampleRate >= 1 && maximumSamples >= 1, "\(maximumSamples) samples at \(sampleRate) Hz")
        self.sampleRate = sampleRate
        self.maximumSamples = maximumSamples
        self.files = files
    }

    /// Passes the samples of the sound at `path` to `consume`, piece by piece, and returns their number.
    ///
    /// Throws `.badData` for a file that is longer than `maximumSamples` or shorter than its container lists.
    @discardableResult
    package func stream(_ path: String, consume: (UnsafeBufferPointer<Float>) throws -> Void) async throws -> Int {
        let longest = Double(maximumSamples) / Double(sampleRate)
        func tooLong(_ found: String) -> VidclassError {
            VidclassError.file(path, "expected at most \(Int(longest)) seconds of sound, found \(found); cut it into shorter files")
        }
        return try await files.withSound(path) { session, sound in
            guard sound.seconds <= longest else { throw tooLong("\(Int(min(sound.seconds, 1e15)))") }
            // One more tells that there are too many.
            try await session.send(MediaMessage.listen, MediaListening(sampleRate: sampleRate, most: maximumSamples + 1).bytes)
            var count = 0
            var samples = [Float](repeating: 0, count: 1 << 14)
            while case (let kind, let length) = try await session.reply(), kind != MediaMessage.damage {
                guard kind == MediaMessage.samples, length > 0, length % 4 == 0 else { throw session.unexpected() }
                count += length / 4
                guard count <= maximumSamples else {
                    _ = session.unexpected()
                    throw tooLong("more")
                }
                for start in stride(from: 0, to: length / 4, by: samples.count) {
                    let piece = min(samples.count, length / 4 - start)
                    try await session.read(into: &samples, count: piece)
                    try samples.withUnsafeBufferPointer { try consume(UnsafeBufferPointer(rebasing: $0[..<piece])) }
                }
            }
            guard session.pending == MediaDamage.size, MediaDamage(try await session.bytes(session.pending)) != nil else {
                throw session.unexpected()
            }
            try await session.finish()
            let seconds = Double(count) / Double(sampleRate)
            // A codec's blocks and the resampler's edges account for less than a tenth of a second.
            guard !sound.isListed || seconds >= 0.95 * sound.seconds - 0.1 else {
                func text(_ seconds: Double) -> String { "\((seconds * 100).rounded() / 100)" }
                throw VidclassError.file(
                    path,
                    "cut off or damaged: its container lists \(text(sound.seconds)) seconds, \(text(seconds)) could be decoded")
            }
            guard count > 0 else { throw VidclassError.file(path, "contains no sound: it is 0 seconds long") }
            return count
        }
    }
}

extension ReaderSession {
    /// Fills the first `count` of `samples` with the next floats of the payload.
    fileprivate nonisolated(nonsending) func read(into samples: inout [Float], count: Int) async throws {
        let bytes = try await bytes(4 * count)
        bytes.withUnsafeBytes { bytes in
            for place in 0..<count {
                samples[place] = Float(bitPattern: UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 4 * place, as: UInt32.self)))
            }
        }
    }
}
