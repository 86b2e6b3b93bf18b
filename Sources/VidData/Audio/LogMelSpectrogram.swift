import RealModule
import VidConfig
import VidTensor

/// The mel spectrogram of a sound whose samples arrive piece by piece, as librosa's
/// `feature.melspectrogram(power=2.0, center=True, pad_mode="constant", window="hann", htk=False, norm="slaney")` computes it.
///
/// Step t is the power spectrum of the `n_fft` samples around sample t x hop_length under a periodic Hann window, with zeros before
/// and after the sound. It is computed in double precision and stored in single. Only the samples that the next transform needs
/// are kept.
package struct LogMelSpectrogram: Sendable {
    /// The smallest power that is distinguished from zero, librosa's `amin`.
    package static let leastPower = 1e-10

    /// The powers of the steps so far, (steps, bands), lowest band first.
    package private(set) var power: [Float] = []
    package var bands: Int { filters.count }
    package var steps: Int { power.count / filters.count }

    private let audio: AudioConfiguration
    private let filters: MelFilterBank
    private let window: [Double]
    private var transform: FourierTransform
    /// The samples from the start of the next transform on.
    private var pending: [Float]
    /// The number of samples still to be skipped if transforms are further apart than they are long.
    private var gap = 0
    private var windowed: [Double]
    private var spectrum: [Double]

    /// Creates an empty spectrogram; `filters` must match the configuration `audio`.
    package init(_ audio: AudioConfiguration, filters: MelFilterBank) {
        let size = audio.fftSize
        precondition(filters.bins == size / 2 + 1, "filters of \(filters.bins) bins for transforms of \(size) samples")
        self.audio = audio
        self.filters = filters
        window = (0..<size).map { 0.5 - 0.5 * Double.cos(2 * .pi * Double($0) / Double(size)) }
        transform = FourierTransform(count: size)
        pending = [Float](repeating: 0, count: size / 2)
        windowed = [Double](repeating: 0, count: size)
        spectrum = [Double](repeating: 0, count: transform.bins)
    }

    /// The number of steps of a sound of `samples` samples.
    package static func steps(of samples: Int, _ audio: AudioConfiguration) -> Int {
        // If n_fft is odd, the padding of n_fft / 2 at both ends is one sample short of n_fft.
        1 + max(0, samples - audio.fftSize % 2) / audio.hopLength
    }

    /// Appends the next samples.
    package mutating func append(_ samples: UnsafeBufferPointer<Float>) {
        let skipped = min(gap, samples.count)
        gap -= skipped
        pending.append(contentsOf: samples[skipped...])
        var start = 0
        while pending.count - start >= audio.fftSize {
            step(from: start)
            start += audio.hopLength
        }
        gap += max(0, start - pending.count)
        pending.removeFirst(min(start, pending.count))
    }

    /// Computes the last steps, when there are no more samples.
    package mutating func finish() {
        [Float](repeating: 0, count: audio.fftSize / 2).withUnsafeBufferPointer { append($0) }
    }

    private mutating func step(from start: Int) {
        for j in 0..<audio.fftSize { windowed[j] = Double(pending[start + j]) * window[j] }
        windowed.withUnsafeBufferPointer { samples in
            spectrum.withUnsafeMutableBufferPointer { transform.power(of: samples, into: $0) }
        }
        spectrum.withUnsafeBufferPointer { spectrum in filters.apply(to: spectrum) { power.append(Float($0)) } }
    }

    /// The powers in decibels relative to the loudest, as librosa's `power_to_db(ref=np.max, amin=1e-10, top_db=top_db)`:
    /// 10 log10(max(power, amin) / max(loudest, amin)), at least -top_db. In the order of `power`.
    package var decibels: [Float] {
        let loudest = 10 * Double.log10(max(LogMelSpectrogram.leastPower, Double(power.max() ?? 0)))
        return power.map { value in
            Float(max(10 * Double.log10(max(LogMelSpectrogram.leastPower, Double(value))) - loudest, -audio.topDecibels))
        }
    }
}
