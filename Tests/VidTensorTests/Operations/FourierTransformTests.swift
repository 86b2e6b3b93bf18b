import CKernels
import CReferenceKernels
import Foundation
import Testing
import VidTensor

/// The fast transforms against the definition.
@Suite struct FourierTransformTests {
    private func spectrum(_ samples: [Double]) -> [Double] {
        var transform = FourierTransform(count: samples.count)
        var power = [Double](repeating: .nan, count: transform.bins)
        // Twice: nothing of one signal may be left for the next.
        for _ in 0..<2 {
            samples.withUnsafeBufferPointer { samples in
                power.withUnsafeMutableBufferPointer { transform.power(of: samples, into: $0) }
            }
        }
        return power
    }

    /// Powers of two, products of small primes, primes and squares of them, even and odd.
    @Test(arguments: [1, 2, 3, 4, 5, 7, 8, 16, 30, 31, 49, 64, 100, 243, 256, 400, 601, 1000, 1024, 1021, 2048])
    func powerIsThatOfTheDefinition(_ count: Int) {
        var random = RandomGenerator(seed: 30)
        let samples = (0..<count).map { _ in Double(random.uniform()) * 2 - 1 }
        var re = [Double](repeating: .nan, count: count)
        var im = re
        vc_reference_fourier(count, samples, [Double](repeating: 0, count: count), &re, &im)
        func power(_ bin: Int) -> Double { re[bin] * re[bin] + im[bin] * im[bin] }
        let expected = (0...count / 2).map(power)
        let found = spectrum(samples)
        let largest = expected.max() ?? 0
        // The definition itself adds up to 2048 products: some 1e-14. Measured: 4e-15 at most.
        for (f, e) in zip(found, expected) { #expect(abs(f - e) <= 1e-13 * largest) }
        #expect(found.count == expected.count)
    }

    /// A wave that fits the length has one frequency, and its neighbours get nothing: what is loud does not leak into what
    /// is 200 dB below it.
    @Test(arguments: [1024, 1000, 601, 65536, 65521])
    func aWaveHasOneFrequency(_ count: Int) {
        let bin = count / 5
        var samples = [Double](repeating: 0, count: count)
        for j in 0..<count { samples[j] = cos(2 * Double.pi * Double(j * bin % count) / Double(count)) }
        let power = spectrum(samples)
        let expected = Double(count) * Double(count) / 4
        #expect(abs(power[bin] - expected) <= 1e-12 * expected)
        for (k, value) in power.enumerated() where k != bin { #expect(value <= 1e-22 * expected) }
    }
}
