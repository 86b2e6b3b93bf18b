import Foundation
import Testing
import VidConfig
import VidData
import VidTensor
import VidTestSupport

/// Mel filters and spectrograms against librosa's in double precision, element by element.
@Suite struct LibrosaTests {
    private struct Case {
        let bands: Int
        let audio: AudioConfiguration

        /// The parameters under librosa's names.
        init(_ name: String, of golden: Golden) throws {
            let note = try #require(try JSONSerialization.jsonObject(with: Data(golden.note.utf8)) as? [String: Any])
            let cases = try #require(note["cases"] as? [String: [String: Any]])
            let values = try #require(cases[name])
            bands = try #require(values["n_mels"] as? Int)
            var audio = AudioConfiguration()
            audio.sampleRate = try #require(values["sr"] as? Int)
            audio.fftSize = try #require(values["n_fft"] as? Int)
            audio.hopLength = values["hop_length"] as? Int ?? audio.hopLength
            audio.minimumFrequency = try #require(values["fmin"] as? Double)
            audio.maximumFrequency = values["fmax"] as? Double
            audio.topDecibels = values["top_db"] as? Double ?? audio.topDecibels
            self.audio = audio
        }
    }

    private static func golden(_ name: String) throws -> Golden {
        try Golden(path: Bundle.module.bundleURL.appending(path: "Goldens/\(name).safetensors").path)
    }

    @Test(arguments: [("speech", 0), ("narrow", 0), ("odd", 0), ("linear", 0), ("empty", 12)])
    func melFilters(_ name: String, _ empty: Int) throws {
        let golden = try LibrosaTests.golden("mel_filters")
        let settings = try Case(name, of: golden)
        let filters = MelFilterBank(count: settings.bands, settings.audio)
        let expected = try golden.tensor(name)
        #expect(expected.shape == [filters.count, filters.bins])
        // Both round numbers that agree to about 1e-15 to single precision.
        let error = relativeError(filters.matrix.joined().map(Float.init), expected.array)
        #expect(error <= 1e-7)
        #expect(filters.emptyBands == (0..<settings.bands).count { expected.rows($0..<$0 + 1).array.allSatisfy { $0 == 0 } })
        #expect((filters.emptyBands > 0) == (empty > 0))
    }

    private func spectrogram(_ samples: [Float], _ settings: Case, pieces: Int) -> LogMelSpectrogram {
        var spectrogram = LogMelSpectrogram(settings.audio, filters: MelFilterBank(count: settings.bands, settings.audio))
        samples.withUnsafeBufferPointer { samples in
            for start in stride(from: 0, to: samples.count, by: pieces) {
                spectrogram.append(UnsafeBufferPointer(rebasing: samples[start..<min(samples.count, start + pieces)]))
            }
        }
        spectrogram.finish()
        return spectrogram
    }

    @Test(arguments: [
        "noise", "sweep", "sweep_in_noise_22050", "tone_44100", "odd_8000", "hop_beyond_n_fft", "impulse", "shorter_than_n_fft",
        "one_sample", "silence", "faint", "quiet_and_loud",
    ])
    func powerAndDecibels(_ name: String) throws {
        let golden = try LibrosaTests.golden("spectrograms")
        let settings = try Case(name, of: golden)
        let samples = try golden.values("\(name)/samples")
        let power = try golden.tensor("\(name)/power")
        let decibels = try golden.values("\(name)/decibels")
        let found = spectrogram(samples, settings, pieces: 4096)
        let steps = found.steps
        #expect(power.shape == [settings.bands, steps])
        #expect(LogMelSpectrogram.steps(of: samples.count, settings.audio) == steps)

        /// From (steps, bands) to librosa's (bands, steps).
        func transposed(_ values: [Float]) -> [Float] {
            (0..<settings.bands).flatMap { band in (0..<steps).map { values[$0 * settings.bands + band] } }
        }
        // Both are computed in double precision and rounded once: an element is off by its last bit at most. Below 1e-13 of
        // the largest power, the rounding errors of the transforms themselves (1e-16 of the largest amplitude) begin.
        let expected = power.array
        let largest = expected.max() ?? 0
        for (f, e) in zip(transposed(found.power), expected) { #expect(abs(f - e) <= 1.2e-7 * e + 1e-13 * largest) }
        // A relative error of 1e-7 in power is 4e-7 dB, and decibels up to 100 are rounded to 8e-6. Where top_db is 80, no
        // power below 1e-8 of the largest is seen, of which the errors above are 1e-5, that is 5e-5 dB.
        for (f, e) in zip(transposed(found.decibels), decibels) { #expect(abs(f - e) <= 2e-5) }
        #expect(found.power.count == expected.count && found.decibels.count == decibels.count)
    }

    /// The spectrogram has the same bits however the samples are divided into pieces.
    @Test(arguments: ["noise", "odd_8000", "hop_beyond_n_fft", "shorter_than_n_fft"])
    func piecesDoNotMatter(_ name: String) throws {
        let golden = try LibrosaTests.golden("spectrograms")
        let settings = try Case(name, of: golden)
        let samples = try golden.values("\(name)/samples")
        let whole = spectrogram(samples, settings, pieces: samples.count).power
        for pieces in [1, 7, 256, 1000] { #expect(spectrogram(samples, settings, pieces: pieces).power == whole) }
    }
}
