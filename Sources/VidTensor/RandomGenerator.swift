import RealModule

/// The only source of random numbers: Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011).
///
/// A counter-based generator: block i of the stream is a function of (key, i) alone. Its whole state is three words, so
/// it is saved and restored exactly, and a parallel loop can compute any part of the stream by itself.
package struct RandomGenerator: RandomNumberGenerator, Sendable, Equatable, Codable {
    /// The seed, split into the two words of the key, and the stream within it.
    package let seed: UInt64
    package let stream: UInt64
    /// The next block of four words.
    package private(set) var block: UInt64 = 0
    /// Unused words of the current block, 0 to 3; the block itself is recomputed.
    private var remaining = 0

    /// Independent streams of one seed have different `stream` numbers.
    package init(seed: UInt64, stream: UInt64 = 0) {
        self.seed = seed
        self.stream = stream
    }

    /// Throws if no generator can have this state.
    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        seed = try container.decode(UInt64.self, forKey: .seed)
        stream = try container.decode(UInt64.self, forKey: .stream)
        block = try container.decode(UInt64.self, forKey: .block)
        remaining = try container.decode(Int.self, forKey: .remaining)
        guard (0...3).contains(remaining) else {
            throw DecodingError.dataCorruptedError(
                forKey: .remaining, in: container, debugDescription: "expected 0 to 3 words of the block, found \(remaining)")
        }
    }

    /// The four words of block `block`.
    package static func words(seed: UInt64, stream: UInt64, block: UInt64) -> (UInt32, UInt32, UInt32, UInt32) {
        philox(
            counter: (
                UInt32(truncatingIfNeeded: block), UInt32(truncatingIfNeeded: block >> 32),
                UInt32(truncatingIfNeeded: stream), UInt32(truncatingIfNeeded: stream >> 32)
            ),
            key: (UInt32(truncatingIfNeeded: seed), UInt32(truncatingIfNeeded: seed >> 32)))
    }

    /// Ten rounds of Philox4x32 on a counter under a key.
    package static func philox(
        counter: (UInt32, UInt32, UInt32, UInt32), key: (UInt32, UInt32)
    ) -> (UInt32, UInt32, UInt32, UInt32) {
        var (c0, c1, c2, c3) = counter
        var (k0, k1) = key
        for _ in 0..<10 {
            let p0 = (0xD251_1F53 as UInt32).multipliedFullWidth(by: c0)
            let p1 = (0xCD9E_8D57 as UInt32).multipliedFullWidth(by: c2)
            (c0, c1, c2, c3) = (p1.high ^ c1 ^ k0, p1.low, p0.high ^ c3 ^ k1, p0.low)
            k0 &+= 0x9E37_79B9
            k1 &+= 0xBB67_AE85
        }
        return (c0, c1, c2, c3)
    }

    /// The next word of the stream.
    package mutating func nextWord() -> UInt32 {
        if remaining == 0 {
            block &+= 1
            remaining = 4
        }
        let words = RandomGenerator.words(seed: seed, stream: stream, block: block &- 1)
        remaining -= 1
        return switch remaining {
        case 3: words.0
        case 2: words.1
        case 1: words.2
        default: words.3
        }
    }

    package mutating func next() -> UInt64 {
        let low = UInt64(nextWord())
        return UInt64(nextWord()) << 32 | low
    }

    /// Reserves `count` whole blocks for a parallel loop and returns the number of the first.
    package mutating func reserveBlocks(_ count: Int) -> UInt64 {
        remaining = 0
        defer { block &+= UInt64(count) }
        return block
    }

    /// Uniform in [0, 1), 24 bits.
    package mutating func uniform() -> Float { Float(nextWord() >> 8) * 0x1p-24 }

    /// Uniform in [low, high).
    package mutating func uniform(_ low: Float, _ high: Float) -> Float { low + (high - low) * uniform() }

    /// Uniform over `0..<bound`, without bias.
    package mutating func below(_ bound: Int) -> Int { Int.random(in: 0..<bound, using: &self) }

    /// Standard normal, by Box and Muller's transform in double precision.
    package mutating func normal() -> Float {
        let u = (Double(nextWord()) + 1) * 0x1p-32
        let v = Double(nextWord()) * 0x1p-32
        return Float((-2 * Double.log(u)).squareRoot() * Double.cos(2 * .pi * v))
    }

    /// A random order of `0..<count` (Fisher and Yates). Equal states give equal orders with any version of Swift.
    package mutating func permutation(_ count: Int) -> [Int] {
        var order = Array(0..<count)
        for i in stride(from: count - 1, to: 0, by: -1) { order.swapAt(i, Int((UInt64(nextWord()) * UInt64(i + 1)) >> 32)) }
        return order
    }
}

extension RandomGenerator {
    /// Beta(alpha, alpha) in double precision: x / (x + y) for two Gamma(alpha) variables.
    package mutating func symmetricBeta(_ alpha: Double) -> Double {
        precondition(alpha > 0, "a Beta distribution of alpha \(alpha)")
        let (x, y) = (logGamma(alpha), logGamma(alpha))
        // Computed from the logarithms, because a small alpha gives variables that underflow.
        return 1 / (1 + Double.exp(y - x))
    }

    /// The logarithm of a Gamma(alpha, 1) variable (Marsaglia and Tsang, "A simple method for generating gamma variables",
    /// 2000). For alpha below 1 it is a Gamma(alpha + 1) variable times u^(1 / alpha).
    private mutating func logGamma(_ alpha: Double) -> Double {
        guard alpha >= 1 else { return logGamma(alpha + 1) + Double.log(open()) / alpha }
        let d = alpha - 1.0 / 3
        let c = 1 / (9 * d).squareRoot()
        while true {
            let x = (-2 * Double.log(open())).squareRoot() * Double.cos(2 * .pi * open())
            let root = 1 + c * x
            guard root > 0 else { continue }
            let v = root * root * root
            if Double.log(open()) < x * x / 2 + d * (1 - v + Double.log(v)) { return Double.log(d * v) }
        }
    }

    /// Uniform in (0, 1], 32 bits.
    private mutating func open() -> Double { (Double(nextWord()) + 1) * 0x1p-32 }
}
