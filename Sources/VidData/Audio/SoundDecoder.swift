import VidSystem

/// Decodes the first sound stream of a file with a child ffmpeg: averages its channels and resamples it to one rate, as floats
/// (full scale = 1).
package struct SoundDecoder: Sendable {
    package let ffmpeg: FFmpeg
    /// Decoded samples per second.
    package let sampleRate: Int
    /// The largest number of samples that a file may have.
    package let maximumSamples: Int

    package init(ffmpeg: FFmpeg, sampleRate: Int, maximumSamples: Int) {
        precondition(sampleRate >= 1 && maximumSamples >= 1, "\(maximumSamples) samples at \(sampleRate) Hz")
        self.ffmpeg = ffmpeg
        self.sampleRate = sampleRate
        self.maximumSamples = maximumSamples
    }

    /// Passes the samples of the sound at `path` to `consume`, piece by piece, and returns their number.
    ///
    /// Throws `.badData` for a file that is longer than `maximumSamples` or shorter than its container lists.
    @discardableResult
    package func stream(_ path: String, consume: (UnsafeBufferPointer<Float>) throws -> Void) async throws -> Int {
        let sound = try await ffmpeg.probeSound(path)
        let longest = Double(maximumSamples) / Double(sampleRate)
        func tooLong(_ found: String) -> VidclassError {
            VidclassError.file(path, "expected at most \(Int(longest)) seconds of sound, found \(found); cut it into shorter files")
        }
        guard sound.seconds <= longest else { throw tooLong("\(Int(min(sound.seconds, 1e15)))") }

        let limit = ffmpeg.timeLimit ?? .seconds(60 + Int((sound.seconds > 0 ? sound.seconds : longest) / 20))
        let child = ffmpeg.decoding(
            path, FFmpeg.soundContainers, ["-map", "0:a:0", "-af", filter(sound), "-f", "f32le"], limit: limit,
            outputLimit: maximumSamples * MemoryLayout<Float>.size)
        var samples = SampleStream()
        let outcome = try await child.run { try samples.append($0, consume) }
        try FFmpeg.checkTime(of: outcome, limit, path: path)
        guard !outcome.outputExceeded else { throw tooLong("more") }
        let seconds = Double(samples.count) / Double(sampleRate)
        let reason = outcome.errorText.isEmpty ? nil : FFmpeg.reason(outcome.errorText, path: path)
        // A codec's blocks and the resampler's edges account for less than a tenth of a second.
        guard !sound.isListed || seconds >= 0.95 * sound.seconds - 0.1 else {
            func text(_ seconds: Double) -> String { "\((seconds * 100).rounded() / 100)" }
            throw VidclassError.file(
                path,
                "cut off or damaged: its container lists \(text(sound.seconds)) seconds, \(text(seconds)) could be decoded"
                    + (reason.map { " (\($0))" } ?? ""))
        }
        try FFmpeg.checkStatus(of: outcome, path: path)
        guard samples.isWhole else { throw VidclassError.file(path, "ffmpeg stopped in the middle of sample \(samples.count)") }
        guard samples.count > 0 else { throw VidclassError.file(path, "contains no sound: \(reason ?? "it is 0 seconds long")") }
        return samples.count
    }

    /// Converts to floats, averages the channels, then resamples. (ffmpeg's own mixing weighs channels, and for floats its weights
    /// do not add up to 1.)
    private func filter(_ sound: SoundInfo) -> String {
        let mean = (0..<sound.channels).map { "c\($0)" }.joined(separator: "+")
        return "aformat=sample_fmts=fltp,pan=mono|c0<\(mean),aresample=\(sampleRate)"
    }
}

/// Converts pieces of bytes to floats; an incomplete float at the end of a piece waits for the next piece.
private struct SampleStream {
    private var rest: [UInt8] = []
    private var floats: [Float] = []
    private(set) var count = 0

    /// Whether no incomplete sample is left over.
    var isWhole: Bool { rest.isEmpty }

    mutating func append(_ bytes: UnsafeRawBufferPointer, _ consume: (UnsafeBufferPointer<Float>) throws -> Void) throws {
        rest.append(contentsOf: bytes)
        let whole = rest.count / 4
        floats.removeAll(keepingCapacity: true)
        rest.withUnsafeBytes { bytes in
            for sample in 0..<whole {
                floats.append(Float(bitPattern: UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 4 * sample, as: UInt32.self))))
            }
        }
        rest.removeFirst(4 * whole)
        count += whole
        try floats.withUnsafeBufferPointer(consume)
    }
}
