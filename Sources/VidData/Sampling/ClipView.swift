/// One taking of a clip: which of its frames, and whether they are changed at random.
package enum ClipView: Sendable, Hashable {
    /// Sample `index` of `count` samples spread evenly over the clip. Nothing in it is random.
    case evaluation(index: Int, count: Int)
    /// Sampled and augmented by the random numbers of one stream of a seed: the same numbers, the same clip.
    case training(seed: UInt64, stream: UInt64)
    /// As evaluated, of the stretch of `length` seconds from `start` on.
    case window(start: Double, length: Double)

    /// The one sample of a clip that stands for it where nothing else is said.
    package static let whole = ClipView.evaluation(index: 0, count: 1)
}
