import VidConfig
import VidData
import VidTensor

/// Which takings of its clips a part gives out: the same ones always, a few random ones, or new ones each time.
package struct SamplePlan: Sendable {
    private enum Kind: Sendable {
        case views([ClipView])
        case copies(Int)
        case fresh
    }

    private let kind: Kind
    private let seed: UInt64

    /// How many there are of each clip; nil where every draw is a new one.
    package var perClip: Int? {
        switch kind {
        case .views(let views): views.count
        case .copies(let count): count
        case .fresh: nil
        }
    }

    /// For training: random where the sampling or the augmentation is. Behind frozen layers, `copies` bounds how many.
    package static func training(_ configuration: RunConfiguration, behindFrozenLayers: Bool) -> SamplePlan {
        guard configuration.variesInTraining else {
            return SamplePlan(kind: .views([.whole]), seed: configuration.seed)
        }
        let copies = behindFrozenLayers ? configuration.augmentation.copies : nil
        return SamplePlan(kind: copies.map { .copies($0) } ?? .fresh, seed: configuration.seed)
    }

    /// For evaluation: `evaluation.clips` samples spread over each clip.
    package static func evaluation(_ configuration: RunConfiguration) -> SamplePlan {
        let count = configuration.evaluation.clips
        return SamplePlan(kind: .views((0..<count).map { .evaluation(index: $0, count: count) }), seed: configuration.seed)
    }

    /// Taking `number` of the clip called `name`, of those that are the same each time.
    package func view(_ number: Int, of name: String) -> ClipView {
        switch kind {
        case .views(let views): views[number]
        case .copies: .training(seed: seed, stream: RandomStreams.copy(number, of: name))
        case .fresh: preconditionFailure("there is no taking number \(number) of clips that are drawn anew")
        }
    }

    /// What the `position`-th draw of an epoch takes of the clip called `name`; for training.
    package func view(of name: String, epoch: Int, position: Int) -> ClipView {
        switch kind {
        case .views(let views): return views[0]
        case .copies(let count):
            var random = RandomGenerator(seed: seed, stream: RandomStreams.choice(epoch: epoch, position: position))
            return view(random.below(count), of: name)
        case .fresh: return .training(seed: seed, stream: RandomStreams.draw(epoch: epoch, position: position))
        }
    }
}
