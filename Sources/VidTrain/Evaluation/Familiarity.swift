import VidTensor

/// Tells whether a clip looks like those that a model was trained on.
///
/// A clip's feature (`Classifier.meanFeature`) is compared with those of training clips, the reference. Of each number the square
/// root is taken, with its sign, and the result is scaled to length one (Perronnin et al., "Improving the Fisher kernel for
/// large-scale image classification", ECCV 2010): so no few channels with large values decide. The distance is the Euclidean one to
/// the `neighbour`-th nearest reference clip (Sun et al., "Out-of-distribution detection with deep nearest neighbors", ICML 2022).
///
/// The distances of known clips calibrate it: those of m validation clips, which the reference does not hold, or where these are too
/// few, also those of the reference clips, each without itself. A clip is unfamiliar if it is farther than the r-th smallest of them,
/// r = ceil((1 - `falseAlarms`)(m + 1)), at most m. If a new clip and the m known ones come from one source in random order, it is
/// called unfamiliar with a probability of at most max(`falseAlarms`, 1 / (m + 1)) (split conformal prediction: Vovk, Gammerman and
/// Shafer, "Algorithmic learning in a random world", 2005). Reference clips that resemble each other more than they resemble new
/// ones, such as pieces of one recording, break this promise.
package struct Familiarity: Sendable, Equatable {
    /// The most reference clips, and the most known clips that calibrate.
    package static let mostClips = 1000
    /// The fewest of both: false alarms are then at most one in twenty.
    package static let fewestClips = 19
    /// The most distances of known clips: of validation clips, or of a few of them and the reference clips.
    package static var mostDistances: Int { mostClips + fewestClips }
    /// The most numbers in all reference features: 4 MiB.
    private static let mostNumbers = 1 << 20
    /// The share of known clips that may be called unfamiliar.
    private static let falseAlarms = 0.01
    /// The third: one or two training clips that are odd themselves, or that were filmed twice, then matter little.
    private static let neighbour = 3

    /// D: the numbers of a feature.
    package let dimensions: Int
    /// The features of the reference clips, one after the other: (clips, D).
    package let features: [Float]
    /// The distances of the known clips, ascending.
    package let distances: [Float]
    /// The `direction` of each reference feature, (clips, D).
    private let directions: [Float]

    package var clips: Int { features.count / dimensions }

    /// Calibrates the distances. Nil if a feature is not finite.
    ///
    /// - Parameters:
    ///   - reference: features of training clips, at most `capacity(dimensions)` of them.
    ///   - validation: features of validation clips, at most `mostClips` of them.
    package init?(reference: [[Float]], validation: [[Float]]) {
        guard (reference + validation).allSatisfy({ $0.allSatisfy(\.isFinite) }) else { return nil }
        let bare = Familiarity(dimensions: reference[0].count, features: reference.flatMap(\.self), distances: [])
        var distances = validation.map { bare.distance(Familiarity.direction($0[...])[...]) }
        if distances.count < Familiarity.fewestClips {
            distances += reference.indices.map { bare.distance(bare.reference($0), skipping: $0) }
        }
        (dimensions, features, directions) = (bare.dimensions, bare.features, bare.directions)
        self.distances = distances.sorted()
    }

    /// A saved one.
    ///
    /// - Parameters:
    ///   - features: (clips, `dimensions`), finite.
    ///   - distances: ascending.
    package init(dimensions: Int, features: [Float], distances: [Float]) {
        precondition(
            dimensions > 0 && !features.isEmpty && features.count % dimensions == 0, "\(features.count) numbers in rows of \(dimensions)")
        self.dimensions = dimensions
        self.features = features
        self.distances = distances
        directions = stride(from: 0, to: features.count, by: dimensions).flatMap {
            Familiarity.direction(features[$0..<$0 + dimensions])
        }
    }

    /// The most reference clips for features of so many numbers.
    package static func capacity(_ dimensions: Int) -> Int { min(mostClips, mostNumbers / max(1, dimensions)) }

    /// Whether so many training clips are enough.
    package static func isPossible(training: Int, dimensions: Int) -> Bool {
        min(training, capacity(dimensions)) >= fewestClips
    }

    /// Bytes for a training with so many clips, while it is computed.
    package static func bytes(training: Int, validation: Int, dimensions: Int) -> Int {
        (3 * min(training, capacity(dimensions)) + min(validation, mostClips)) * dimensions * MemoryLayout<Float>.stride
    }

    /// The mean of features, such as those of a clip's samples.
    package static func mean(_ features: [[Float]]) -> [Float] {
        guard features.count > 1 else { return features[0] }
        return features[0].indices.map { index in
            Float(features.reduce(0) { $0 + Double($1[index]) } / Double(features.count))
        }
    }

    /// Chooses clips at random, from each class about as many; small classes give all. Ascending.
    package static func choose(_ labels: [Int], atMost count: Int, seed: UInt64) -> [Int] {
        guard labels.count > count else { return Array(labels.indices) }
        var random = RandomGenerator(seed: seed, stream: RandomStreams.familiarity)
        var ranks = [Int: Int]()
        let order = random.permutation(labels.count).map { clip in
            defer { ranks[labels[clip], default: 0] += 1 }
            return (rank: ranks[labels[clip], default: 0], clip: clip)
        }
        // Sorting is not stable: equal ranks keep the random order by their places.
        let chosen = order.enumerated().sorted { ($0.element.rank, $0.offset) < ($1.element.rank, $1.offset) }.prefix(count)
        return chosen.map(\.element.clip).sorted()
    }

    // MARK: Judging

    /// The judgement of one clip.
    package struct Finding: Codable, Sendable, Equatable {
        /// The share of known clips that are nearer to the training clips, in percent.
        package let percentile: Double
        package let isUnfamiliar: Bool
    }

    /// Judges a clip by its feature (`Classifier.meanFeature`).
    package func finding(_ feature: [Float]) -> Finding {
        precondition(feature.count == dimensions, "a feature of \(feature.count) numbers, not \(dimensions)")
        let distance = distance(Familiarity.direction(feature[...])[...])
        let nearer = distances.count { $0 < distance }
        // A feature that is not finite has no distance and is as unfamiliar as can be.
        return Finding(
            percentile: distance.isNaN ? 100 : 100 * Double(nearer) / Double(distances.count), isUnfamiliar: !(distance <= threshold))
    }

    /// The distance beyond which a clip is unfamiliar.
    private var threshold: Float {
        let rank = ((1 - Familiarity.falseAlarms) * Double(distances.count + 1)).rounded(.up)
        return distances[min(Int(rank), distances.count) - 1]
    }

    private func reference(_ clip: Int) -> ArraySlice<Float> { directions[clip * dimensions..<(clip + 1) * dimensions] }

    /// The square roots of a feature's numbers, with their signs, scaled to length one; zeros stay zeros.
    private static func direction(_ feature: ArraySlice<Float>) -> [Float] {
        // The length of the roots is the root of the sum of the numbers.
        let length = feature.reduce(0) { $0 + Double(abs($1)) }
        return feature.map { length == 0 ? 0 : Float((Double(abs($0)) / length).squareRoot()) * ($0 < 0 ? -1 : 1) }
    }

    /// The distance of a direction to the `neighbour`-th nearest reference clip.
    ///
    /// - Parameter skipping: a reference clip to leave out.
    private func distance(_ direction: ArraySlice<Float>, skipping: Int? = nil) -> Float {
        // Ascending; NaN is farther than anything.
        var nearest = [Float](repeating: .nan, count: Familiarity.neighbour)
        for clip in 0..<clips where clip != skipping {
            let distance = Familiarity.squaredDistance(direction, reference(clip))
            guard let place = nearest.firstIndex(where: { distance < $0 || ($0.isNaN && !distance.isNaN) }) else { continue }
            nearest.insert(distance, at: place)
            nearest.removeLast()
        }
        return nearest[Familiarity.neighbour - 1].squareRoot()
    }

    /// In eight partial sums, so that the compiler can use vector registers; their order does not depend on the machine.
    private static func squaredDistance(_ a: ArraySlice<Float>, _ b: ArraySlice<Float>) -> Float {
        a.withUnsafeBufferPointer { a in
            b.withUnsafeBufferPointer { b in
                var sums = SIMD8<Float>()
                let whole = a.count / 8 * 8
                for start in stride(from: 0, to: whole, by: 8) {
                    var difference = SIMD8<Float>()
                    for lane in 0..<8 { difference[lane] = a[start + lane] - b[start + lane] }
                    sums += difference * difference
                }
                var sum = (0..<8).reduce(0) { $0 + sums[$1] }
                for index in whole..<a.count { sum += (a[index] - b[index]) * (a[index] - b[index]) }
                return sum
            }
        }
    }
}
