import CKernels

/// Inverted dropout's factors: 0 with probability `rate`, else 1 / (1 - rate) (Srivastava et al. 2014).
package enum DropoutFactors {
    /// Factors in a block: a multiple of the generator's four words.
    private static let block = 16384

    /// Fills `factors` from the generator's next blocks. The same bits at any thread count.
    package static func fill(_ factors: Tensor, rate: Float, _ random: inout RandomGenerator, _ workers: Workers) {
        precondition(rate >= 0 && rate < 1, "a dropout rate of \(rate); it must be at least 0 and below 1")
        let first = random.reserveBlocks((factors.count + 3) / 4)
        let (seed, stream) = (random.seed, random.stream)
        let threshold = UInt32(Double(rate) * 0x1p32)
        let scale = Float(1 / (1 - Double(rate)))
        workers.forEachRange(of: factors.count, size: block) { range, _ in
            vc_dropout_factors(
                range.count, seed, stream, first &+ UInt64(range.lowerBound / 4), threshold, scale, factors.base + range.lowerBound)
        }
    }
}
