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

    /// Reads all frames of the sound at `path` as float32; see `SpectrogramFrames`.
    package func clip(_ path: String) async throws -> Clip {
        guard layout.channels == 1 || layout.channels == 3 else {
            throw VidclassError.file(
                path,
                "a spectrogram has 1 channel or 3 equal ones, but the model's input has \(layout.channels); train with \(ShellText.setting("model.input.channels", "1"))"
            )
        }
        let filters = MelFilterBank(count: layout.rows, layout.audio)
        guard filters.emptyBands == 0 else { throw VidclassError.file(path, adviceOnBands(filters.emptyBands)) }
        let decoder = SoundDecoder(sampleRate: layout.audio.sampleRate, maximumSamples: layout.maximumSamples, files: files)
        var spectrogram = LogMelSpectrogram(layout.audio, filters: filters)
        let count = try await decoder.stream(path) { samples in
            guard samples.allSatisfy({ $0.magnitude <= SoundClips.largestSample }) else {
                throw VidclassError.file(
                    path, "contains samples that are not finite or exceed \(SoundClips.largestSample) (full scale is 1)")
            }
            spectrogram.append(samples)
        }
        spectrogram.finish()
        precondition(
            spectrogram.steps == LogMelSpectrogram.steps(of: count, layout.audio), "\(spectrogram.steps) steps of \(count) samples")
        return layout.clip(spectrogram)
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
