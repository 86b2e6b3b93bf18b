import RealModule

extension RandomGenerator {
    /// Beta(alpha, alpha), in double precision: the share of one of two Gamma(alpha) variables in their sum.
    package mutating func symmetricBeta(_ alpha: Double) -> Double {
        precondition(alpha > 0, "a Beta distribution of alpha \(alpha)")
        let (x, y) = (logGamma(alpha), logGamma(alpha))
        // x / (x + y) of the logarithms: small alphas give variables too small for a number of their own.
        return 1 / (1 + Double.exp(y - x))
    }

    /// The logarithm of a Gamma(alpha, 1) variable (Marsaglia and Tsang, "A simple method for generating gamma variables",
    /// 2000; for alpha below 1, that of alpha + 1 times u^(1/alpha)).
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
