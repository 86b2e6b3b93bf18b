import VidTensor

/// Changes of a clip in time: which frame stands at which place.
package struct FrameOrder: Sendable, Equatable {
    /// Probability that a frame, other than the first, is replaced by the one before it: what then stands there, so that several
    /// in a row show a picture that is stuck.
    package var dropProbability: Double
    package var isReversed: Bool

    package init(dropProbability: Double, isReversed: Bool) {
        self.dropProbability = dropProbability
        self.isReversed = isReversed
    }

    /// The places of `count` frames that are shown, in order: frames dropped first, then the whole played backwards. One word
    /// of `random` a frame but the first.
    package func places(_ count: Int, _ random: inout RandomGenerator) -> [Int] {
        var places = Array(0..<count)
        for place in places.indices.dropFirst() {
            let isDropped = Double(random.uniform()) < dropProbability
            if isDropped { places[place] = places[place - 1] }
        }
        return isReversed ? places.reversed() : places
    }
}
