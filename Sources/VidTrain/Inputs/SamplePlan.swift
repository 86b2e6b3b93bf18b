import VidConfig
import VidData
import VidTensor

/// One view of one clip of a split: what the model sees at a time.
package struct Sample: Sendable, Hashable {
    /// Index of the clip in its split.
    package let clip: Int
    package let view: ClipView

    package init(clip: Int, view: ClipView) {
        self.clip = clip
        self.view = view
    }
}

/// Selects the samples of each clip of a split: always the same ones, a few random ones, or a new one each time.
package struct SamplePlan: Sendable {
    private enum Kind: Sendable {
        case views([ClipView])
        case copies(Int)
        case fresh
    }

    private let kind: Kind
    private let seed: UInt64

    /// Different samples of each clip; nil where each is new.
    package var perClip: Int? {
        switch kind {
        case .views(let views): views.count
        case .copies(let count): count
        case .fresh: nil
        }
    }

    /// The views of every clip, where nothing about them is random.
    package var fixedViews: [ClipView]? {
        guard case .views(let views) = kind else { return nil }
        return views
    }

    /// For training: random where sampling or augmentation is. Behind frozen layers, `augmentation.copies` limits the samples of a clip.
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

    /// View `number` of the `perClip` views of the clip called `name`.
    package func view(_ number: Int, of name: String) -> ClipView {
        switch kind {
        case .views(let views): views[number]
        case .copies: .training(seed: seed, stream: RandomStreams.copy(number, of: name))
        case .fresh: preconditionFailure("no view number \(number): each view of a clip is new")
        }
    }

    /// The view of the clip called `name` at a position of a training epoch's order.
    package func view(of name: String, epoch: Int, position: Int) -> ClipView {
        switch kind {
        case .views(let views): return views[0]
        case .copies(let count):
            var random = RandomGenerator(seed: seed, stream: RandomStreams.choice(epoch: epoch, position: position))
            return view(random.below(count), of: name)
        case .fresh: return .training(seed: seed, stream: RandomStreams.view(epoch: epoch, position: position))
        }
    }
}

/// Streams of the run's seed, one for each random decision about a sample: so neither the order of loading nor a resumption
/// changes the numbers.
///
/// A stream's first byte tells its use. Streams 0 to 2 (weights, order, dropout) and those of the splits have others.
enum RandomStreams {
    /// Sampling and augmentation at a position of an epoch's order.
    static func view(epoch: Int, position: Int) -> UInt64 { stream(0xA0, epoch, position) }

    /// Choice among a clip's copies at a position of an epoch's order.
    static func choice(epoch: Int, position: Int) -> UInt64 { stream(0xA1, epoch, position) }

    /// Mixup of a batch.
    static func mixUp(epoch: Int, batch: Int) -> UInt64 { stream(0xA2, epoch, batch) }

    /// Sampling and augmentation of copy `number` of a clip, by the clip's name: another split leaves them as they are.
    static func copy(_ number: Int, of name: String) -> UInt64 {
        // FNV-1a, 40 bits of it.
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in name.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        return 0xA3 << 56 | (hash >> 24) << 16 | UInt64(number & 0xFFFF)
    }

    /// Dropout in a shard of a step, by the first of its clips.
    static func dropout(epoch: Int, position: Int) -> UInt64 { stream(0xA5, epoch, position) }

    /// Choice of the clips that `Familiarity` compares with.
    static let familiarity: UInt64 = 0xA4 << 56

    private static func stream(_ use: UInt64, _ epoch: Int, _ place: Int) -> UInt64 {
        use << 56 | UInt64(epoch & 0xFF_FFFF) << 32 | UInt64(place & 0xFFFF_FFFF)
    }
}
