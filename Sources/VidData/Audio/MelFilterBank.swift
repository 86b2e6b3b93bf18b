import RealModule
import VidConfig

/// The mel scale of Slaney's Auditory Toolbox (1998), librosa's default: linear up to 1000 Hz, logarithmic above.
enum MelScale {
    private static let hertzPerMel = 200.0 / 3
    private static let firstLogarithmicHertz = 1000.0
    private static let firstLogarithmicMel = firstLogarithmicHertz / hertzPerMel
    private static let logarithmicStep = Double.log(6.4) / 27

    static func mel(hertz: Double) -> Double {
        guard hertz >= firstLogarithmicHertz else { return hertz / hertzPerMel }
        return firstLogarithmicMel + Double.log(hertz / firstLogarithmicHertz) / logarithmicStep
    }

    static func hertz(mel: Double) -> Double {
        guard mel >= firstLogarithmicMel else { return hertzPerMel * mel }
        return firstLogarithmicHertz * Double.exp(logarithmicStep * (mel - firstLogarithmicMel))
    }
}

/// Triangular filters, evenly spaced in mel, each of area 1 over hertz: librosa's `filters.mel(htk=False, norm="slaney")`.
package struct MelFilterBank: Sendable {
    /// One filter: its nonzero weights, for the bins of a spectrum from `firstBin` on.
    private struct Band: Sendable {
        var firstBin: Int
        var weights: [Double]
    }

    private let bands: [Band]
    /// The number of values of a spectrum, fftSize / 2 + 1.
    package let bins: Int
    package var count: Int { bands.count }
    /// The number of bands that contain no frequency of the spectrum, and so are always zero.
    package var emptyBands: Int { bands.count { $0.weights.isEmpty } }

    /// Creates `count` bands from `lowest` to `highest` hertz for spectra of `fftSize` samples.
    package init(count: Int, sampleRate: Int, fftSize: Int, lowest: Double, highest: Double) {
        precondition(count >= 1 && fftSize >= 1 && sampleRate >= 1, "\(count) bands of \(fftSize) samples at \(sampleRate) Hz")
        precondition(0 <= lowest && lowest < highest, "mel bands from \(lowest) to \(highest) Hz")
        let bins = fftSize / 2 + 1
        let (first, last) = (MelScale.mel(hertz: lowest), MelScale.mel(hertz: highest))
        // Band b starts at edge b, peaks at edge b + 1 and ends at edge b + 2.
        let edges = (0..<count + 2).map { MelScale.hertz(mel: first + Double($0) * (last - first) / Double(count + 1)) }
        let frequencies = (0..<bins).map { Double($0) * Double(sampleRate) / Double(fftSize) }
        self.bins = bins
        bands = (0..<count).map { band in
            let (left, middle, right) = (edges[band], edges[band + 1], edges[band + 2])
            let weights = frequencies.map { frequency in
                max(0, min((frequency - left) / (middle - left), (right - frequency) / (right - middle))) * 2 / (right - left)
            }
            guard let firstBin = weights.firstIndex(where: { $0 > 0 }), let lastBin = weights.lastIndex(where: { $0 > 0 }) else {
                return Band(firstBin: 0, weights: [])
            }
            return Band(firstBin: firstBin, weights: Array(weights[firstBin...lastBin]))
        }
    }

    /// Creates `count` bands for a configuration; `fmax` is half the sample rate by default.
    package init(count: Int, _ audio: AudioConfiguration) {
        self.init(
            count: count, sampleRate: audio.sampleRate, fftSize: audio.fftSize, lowest: audio.minimumFrequency,
            highest: audio.maximumFrequency ?? Double(audio.sampleRate) / 2)
    }

    /// Calls `body` with the power in each band of the spectrum `power`, lowest band first.
    package func apply(to power: UnsafeBufferPointer<Double>, _ body: (Double) -> Void) {
        precondition(power.count == bins, "a spectrum of \(power.count) values, not \(bins)")
        for band in bands {
            var sum = 0.0
            for (offset, weight) in band.weights.enumerated() { sum += weight * power[band.firstBin + offset] }
            body(sum)
        }
    }

    /// The filters as a matrix (bands, bins).
    package var matrix: [[Double]] {
        bands.map { band in
            var row = [Double](repeating: 0, count: bins)
            row.replaceSubrange(band.firstBin..<band.firstBin + band.weights.count, with: band.weights)
            return row
        }
    }
}
