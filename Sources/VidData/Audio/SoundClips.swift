import VidConfig
import VidSystem
import VidTensor

/// Reads sound files as clips of spectrograms.
package struct SoundClips: Sendable {
    package let layout: SpectrogramFrames
    private let files: MediaFiles

    /// Full scale is 1. A floating-point file may exceed it, but not so far that powers would overflow.
    private static let largestSample: Float = 1e6

    package init(_ layout: SpectrogramFrames, files: MediaFiles) {
        self.layout = layout
        self.files = files
    }

    /// Cache key: equal texts mean equal clips of a sound.
    package var text: String {
        let audio = layout.audio
        return "log-mel at \(audio.sampleRate) Hz, n_fft \(audio.fftSize), hop_length \(audio.hopLength), fmin \(audio.minimumFrequency), "
            + "fmax \(audio.maximumFrequency.map { "\($0)" } ?? "half"), top_db \(audio.topDecibels)"
    }

    /// Reads all frames of the sound at `path` as float32; see `SpectrogramFrames`. Those of a segment are made of its samples only.
    ///
    /// - Returns: also the time in the file at which they start.
    package func clip(_ path: String) async throws -> (clip: Clip, start: Double) {
        let address = ClipPath(path)
        // A segment that is wrong by itself is refused before anything is decoded.
        var part = try SoundPart(address, seconds: .infinity, layout)
        guard layout.channels == 1 || layout.channels == 3 else {
            throw VidclassError.file(
                path,
                "a spectrogram has 1 channel or 3 equal ones, but the model's input has \(layout.channels); train with \(ShellText.setting("model.input.channels", "1"))"
            )
        }
        let filters = MelFilterBank(count: layout.rows, layout.audio)
        guard filters.emptyBands == 0 else { throw VidclassError.file(path, adviceOnBands(filters.emptyBands)) }
        let rate = layout.audio.sampleRate
        let decoder = SoundDecoder(
            sampleRate: rate, maximumSamples: address.segment == nil ? layout.maximumSamples : SoundPart.mostSamples, files: files)
        var spectrogram = LogMelSpectrogram(layout.audio, filters: filters)
        let wanted = part.samples(rate: rate)
        var (passed, kept) = (0, 0)
        try await decoder.stream(address.file) { samples in
            let (low, high) = (max(wanted.lowerBound - passed, 0), min(wanted.upperBound - passed, samples.count))
            passed += samples.count
            guard low < high else { return }
            let samples = UnsafeBufferPointer(rebasing: samples[low..<high])
            kept += samples.count
            guard kept <= layout.maximumSamples else {
                throw VidclassError.file(
                    path, "expected at most \(layout.maximumSamples / rate) seconds of sound, found more; make the segment shorter")
            }
            guard samples.allSatisfy({ $0.magnitude <= SoundClips.largestSample }) else {
                throw VidclassError.file(
                    path, "contains samples that are not finite or exceed \(SoundClips.largestSample) (full scale is 1)")
            }
            spectrogram.append(samples)
        }
        part = try SoundPart(address, seconds: Double(passed) / Double(rate), layout)
        spectrogram.finish()
        precondition(
            spectrogram.steps == LogMelSpectrogram.steps(of: kept, layout.audio), "\(spectrogram.steps) steps of \(kept) samples")
        return (layout.clip(spectrogram), part.start)
    }

    /// The message for bands narrower than the transform's frequency resolution, whose rows would always be empty. librosa warns of
    /// them, too.
    private func adviceOnBands(_ empty: Int) -> String {
        var audio = layout.audio
        while audio.fftSize < 65536 {
            audio.fftSize *= 2
            if MelFilterBank(count: layout.rows, audio).emptyBands == 0 { break }
        }
        return
            "\(empty) of \(layout.rows) mel bands (model.input.rows) contain no frequency of a transform of \(layout.audio.fftSize) samples; "
            + "use \(ShellText.setting("data.audio.n_fft", "\(audio.fftSize)")), or fewer rows"
    }
}

/// The part of a sound that an address names, in seconds.
struct SoundPart {
    let start: Double
    let end: Double

    /// The most samples of a sound of which a part is read: some months.
    static let mostSamples = 1 << 38

    /// - Parameter seconds: the duration of the whole sound; infinite if it is unknown.
    /// - Throws: `.badData` for a segment by frames, and for one that is not within the sound. It may end up to a frame's time later.
    init(_ clip: ClipPath, seconds: Double, _ layout: SpectrogramFrames) throws {
        guard let segment = clip.segment else {
            (start, end) = (0, seconds)
            return
        }
        guard segment.unit == .seconds else {
            throw VidclassError.file(clip.text, "the segments of a sound are named by seconds, such as #t=1.5,4, not by frames")
        }
        try segment.check(clip, whole: seconds, slack: 1 / layout.framesPerSecond)
        (start, end) = (segment.start, min(segment.end, seconds))
    }

    /// The duration.
    var seconds: Double { end - start }

    /// The samples of the part.
    func samples(rate: Int) -> Range<Int> {
        func sample(_ seconds: Double) -> Int { Int(min(seconds * Double(rate), Double(SoundPart.mostSamples)).rounded()) }
        return sample(start)..<max(sample(end), sample(start) + 1)
    }
}
