import VidTensor

/// How the classes of synthetic clips order the frames of a scene.
///
/// A state of a scene is a point on a torus (two coordinates, each of which comes round again). The L points
/// k (1, m) / L, k = 0 ..< L, form a lattice on it; when a and L have no common divisor, a walk of constant velocity
/// a (1, m) / L visits every one of them, too, in another order. So walks in four directions show *the same set of
/// frames*, and nothing but their order tells one from another, however a scene looks.
package struct SyntheticOrder: Sendable, Equatable {
    /// Points of the lattice; the walks come round after so many frames.
    package let length: Int
    /// Coordinates of point 1, in units of 1 / length.
    package let generator: (Int, Int)
    /// For the four classes of a plane, in the order +first, -first, -second, +second: how many points a frame moves on.
    package let strides: [Int]

    package static func == (a: SyntheticOrder, b: SyntheticOrder) -> Bool {
        a.length == b.length && a.generator == b.generator && a.strides == b.strides
    }

    /// The lattice for clips of `frames` frames: one whose length divides `frames` (then a clip shows each of its frames
    /// equally often), with the shortest steps; each step goes mainly along one of the coordinates.
    ///
    /// Where there is none (2, 3, 4, 6, and primes over 64) clips show part of a lattice: single frames still say
    /// nothing, but the set of them may.
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

    /// Point `number` of the lattice, both coordinates in [0, 1).
    package func point(_ number: Int) -> (Float, Float) {
        (Float(number * generator.0 % length) / Float(length), Float(number * generator.1 % length) / Float(length))
    }

    /// The points that a walk of the plane's class `direction` visits from point `start` on.
    package func walk(direction: Int, start: Int, frames: Int) -> [Int] {
        (0..<frames).map { (start + $0 * strides[direction]) % length }
    }

    /// A lattice with a step along the first coordinate and one along the second.
    private struct Candidate {
        var length: Int
        /// m of the lattice (1, m).
        var slope: Int
        /// Multiples of (1, m) that go along the first and along the second coordinate, both forwards.
        var along: Int
        var across: Int
        /// The longest step, as a share of the way round, and then how far from straight the steps are.
        var cost: Float

        static func best(length: Int) -> Candidate? {
            var best: Candidate?
            for slope in 1..<length {
                let steps = (1..<length).filter { greatestCommonDivisor($0, length) == 1 }.map { multiple in
                    (multiple: multiple, x: centred(multiple, length), y: centred(multiple * slope, length))
                }
                for a in steps where a.x > abs(a.y) && a.y != 0 {
                    // The products of their coordinates differ in sign: the four walks turn in four different ways.
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
