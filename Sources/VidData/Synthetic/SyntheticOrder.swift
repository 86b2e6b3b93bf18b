/// The order in which each class of synthetic clips shows the frames of a scene.
///
/// A state of a scene is a point on a torus (two periodic coordinates). The L points k (1, m) / L, k = 0 ..< L, form a lattice on
/// it. If a and L have no common divisor, a walk of constant velocity a (1, m) / L also visits all of them, in another order. So
/// walks in four directions show *the same set of frames*, and only their order distinguishes them, however a scene looks.
package struct SyntheticOrder: Sendable, Equatable {
    /// The number of points of the lattice, and the period of the walks in frames.
    package let length: Int
    /// The coordinates of point 1, in units of 1 / length.
    package let generator: (Int, Int)
    /// The number of points that a frame advances, for the four classes of a plane in the order +first, -first, -second, +second.
    package let strides: [Int]

    package static func == (a: SyntheticOrder, b: SyntheticOrder) -> Bool {
        a.length == b.length && a.generator == b.generator && a.strides == b.strides
    }

    /// Chooses the lattice for clips of `frames` frames: its length divides `frames` (so a clip shows each of its frames equally
    /// often), and its steps are the shortest; each step goes mainly along one of the coordinates.
    ///
    /// If there is none (2, 3, 4, 6, and primes over 64), clips show a part of a lattice: single frames still do not reveal the class,
    /// but the set of frames may.
    package init(frames: Int) {
        precondition(frames >= 2, "an order of \(frames) frames")
        var lengths = (5...32).filter { frames % $0 == 0 }
        if lengths.isEmpty, frames > 32, frames <= 64 { lengths = [frames] }
        let candidates = lengths.compactMap(Candidate.best) + [Candidate.best(length: frames < 10 ? 5 : 10)].compactMap(\.self)
        let fitting = candidates.filter { frames % $0.length == 0 }
        guard let best = (fitting.isEmpty ? candidates : fitting).min(by: { $0.cost < $1.cost }) else {
            preconditionFailure("no lattice for \(frames) frames")
        }
        length = best.length
        generator = (1, best.slope)
        strides = [best.along, best.length - best.along, best.length - best.across, best.across]
    }

    /// Point `number` of the lattice, with both coordinates in [0, 1).
    package func point(_ number: Int) -> (Float, Float) {
        (Float(number * generator.0 % length) / Float(length), Float(number * generator.1 % length) / Float(length))
    }

    /// The points that a walk of the plane's class `direction` visits from point `start` on.
    package func walk(direction: Int, start: Int, frames: Int) -> [Int] {
        (0..<frames).map { (start + $0 * strides[direction]) % length }
    }

    /// The points of the first plane that a clip of class `label` shows. Classes 0 to 3 walk over the first plane and the others over
    /// the second, whose point `pairing[k]` goes with point k of the first.
    package func points(label: Int, start: Int, frames: Int, pairing: [Int]) -> [Int] {
        let walk = walk(direction: label % 4, start: start, frames: frames)
        guard label >= 4 else { return walk }
        var inverse = pairing
        for (first, second) in pairing.enumerated() { inverse[second] = first }
        return walk.map { inverse[$0] }
    }

    /// A lattice with a step along the first coordinate and one along the second.
    private struct Candidate {
        var length: Int
        /// The m of the lattice (1, m).
        var slope: Int
        /// The multiple of (1, m) that steps forward along the first coordinate.
        var along: Int
        /// The multiple of (1, m) that steps forward along the second coordinate.
        var across: Int
        /// The longest step, as a share of the period, plus a small penalty for steps that are not straight.
        var cost: Float

        static func best(length: Int) -> Candidate? {
            var best: Candidate?
            for slope in 1..<length {
                let steps = (1..<length).filter { greatestCommonDivisor($0, length) == 1 }.map { multiple in
                    (multiple: multiple, x: centred(multiple, length), y: centred(multiple * slope, length))
                }
                for a in steps where a.x > abs(a.y) && a.y != 0 {
                    // The products of their coordinates differ in sign, so the four walks turn in four different ways.
                    for b in steps where b.y > abs(b.x) && (a.x * a.y > 0) != (b.x * b.y > 0) {
                        guard 2 * max(a.x, b.y) < length else { continue }
                        let cost = (Float(max(a.x, b.y)) + 0.1 * Float(abs(a.y) + abs(b.x))) / Float(length)
                        if cost < best?.cost ?? .infinity {
                            best = Candidate(length: length, slope: slope, along: a.multiple, across: b.multiple, cost: cost)
                        }
                    }
                }
            }
            return best
        }

        /// `value` modulo `length`, from -length/2 to length/2.
        private static func centred(_ value: Int, _ length: Int) -> Int {
            let rest = value % length
            return 2 * rest > length ? rest - length : rest
        }

        private static func greatestCommonDivisor(_ a: Int, _ b: Int) -> Int { b == 0 ? a : greatestCommonDivisor(b, a % b) }
    }
}
