import CKernels
import RealModule

/// The power spectrum of real signals of one length, in double precision.
///
/// X[k] = sum over j of x[j] e^(-2 pi i j k / n). Powers of two are transformed by Stockham's radix-2 algorithm, any other
/// length by Bluestein's (Rabiner, Schafer and Rader 1969, The chirp z-transform algorithm): as a convolution with a chirp,
/// done by transforms of a power of two. So every length takes O(n log n). The memory is allocated once, by the initialiser.
package struct FourierTransform: Sendable {
    /// Samples of a signal.
    package let count: Int
    /// Values of the spectrum, for the frequencies 0 ... count / 2 in steps of the sample rate / count.
    package var bins: Int { count / 2 + 1 }

    /// The length of the transforms, a power of two.
    private let size: Int
    private let roots: ComplexArray
    /// Bluestein's factors; nil if the length is a power of two.
    private let chirp: Chirp?
    private var signal: ComplexArray
    private var scratch: ComplexArray

    /// Bluestein's factors: jk = (j^2 + k^2 - (k - j)^2) / 2.
    private struct Chirp: Sendable {
        /// e^(-pi i j^2 / n), n values.
        var factors: ComplexArray
        /// The transform of the conjugate chirp, wrapped around.
        var filter: ComplexArray
    }

    /// Prepares transforms of `count` samples.
    package init(count: Int) {
        precondition(count >= 1, "a transform of \(count) samples")
        self.count = count
        let isPower = count & (count - 1) == 0
        var size = 1
        while size < (isPower ? count : 2 * count - 1) { size *= 2 }
        self.size = size
        roots = ComplexArray(turns: (0..<max(1, size / 2)).map { -Double($0) / Double(size) })
        signal = ComplexArray(count: size)
        scratch = ComplexArray(count: size)
        guard !isPower else {
            chirp = nil
            return
        }
        // j^2 is reduced before it becomes an angle, which keeps the angle exact.
        let factors = ComplexArray(turns: (0..<count).map { -Double($0 * $0 % (2 * count)) / Double(2 * count) })
        var filter = ComplexArray(count: size)
        for j in 0..<count {
            for place in [j, (size - j) % size] {
                filter.re[place] = factors.re[j]
                filter.im[place] = -factors.im[j]
            }
        }
        filter.transform(roots, &scratch)
        chirp = Chirp(factors: factors, filter: filter)
    }

    /// power[k] = |X[k]|^2 of the `count` samples of `samples`, for the `bins` frequencies.
    package mutating func power(of samples: UnsafeBufferPointer<Double>, into power: UnsafeMutableBufferPointer<Double>) {
        precondition(
            samples.count == count && power.count == bins, "\(samples.count) samples to \(power.count) powers, not \(count) to \(bins)")
        guard let chirp else {
            for j in 0..<count {
                signal.re[j] = samples[j]
                signal.im[j] = 0
            }
            signal.transform(roots, &scratch)
            vc_complex_power(bins, signal.re, signal.im, 1, power.baseAddress)
            return
        }
        for j in 0..<count {
            signal.re[j] = samples[j] * chirp.factors.re[j]
            signal.im[j] = samples[j] * chirp.factors.im[j]
        }
        for j in count..<size {
            signal.re[j] = 0
            signal.im[j] = 0
        }
        signal.transform(roots, &scratch)
        signal.multiply(by: chirp.filter)
        // The inverse transform exchanges the parts and divides by the size. The remaining chirp factor has magnitude 1.
        signal.exchangeParts()
        signal.transform(roots, &scratch)
        vc_complex_power(bins, signal.re, signal.im, 1 / (Double(size) * Double(size)), power.baseAddress)
    }
}

/// Complex numbers as two arrays.
private struct ComplexArray: Sendable {
    var re: [Double]
    var im: [Double]

    init(count: Int) {
        re = [Double](repeating: 0, count: count)
        im = re
    }

    /// e^(2 pi i t) for each t of `turns`.
    init(turns: [Double]) {
        re = turns.map { Double.cos(2 * .pi * $0) }
        im = turns.map { Double.sin(2 * .pi * $0) }
    }

    mutating func transform(_ roots: ComplexArray, _ scratch: inout ComplexArray) {
        vc_fourier(re.count, roots.re, roots.im, &re, &im, &scratch.re, &scratch.im)
    }

    mutating func multiply(by other: ComplexArray) {
        let count = re.count
        re.withUnsafeMutableBufferPointer { re in
            im.withUnsafeMutableBufferPointer { im in
                vc_complex_multiply(count, re.baseAddress, im.baseAddress, other.re, other.im, re.baseAddress, im.baseAddress)
            }
        }
    }

    mutating func exchangeParts() { swap(&re, &im) }
}
