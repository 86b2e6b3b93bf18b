import VidModel
import VidTensor

/// Mixes the clips of a batch two by two: mixup (Zhang et al. 2018), or behind frozen layers manifold mixup (Verma et al. 2019).
///
/// One share a batch, drawn from Beta(alpha, alpha); clip i becomes share x clip i + (1 - share) x its partner, and so does its
/// target.
package struct MixUp: Sendable {
    /// At least a half: the first clip of each pair is the main one.
    package let share: Float
    /// The partner of each clip of the batch.
    package let partners: [Int]

    package init(clips: Int, alpha: Double, seed: UInt64, stream: UInt64) {
        var random = RandomGenerator(seed: seed, stream: stream)
        let drawn = Float(random.symmetricBeta(alpha))
        // Which of the two is the larger says nothing: partners are drawn at random.
        share = max(drawn, 1 - drawn)
        partners = random.permutation(clips)
    }

    /// Mixes the rows of `batch` (B x T, ...), `steps` rows a clip.
    func apply(to batch: Tensor, steps: Int, _ context: Context) {
        let mark = context.workspace.mark
        defer { context.workspace.release(to: mark) }
        let copy = context.workspace.take(batch.shape)
        copy.copy(from: batch)
        for (clip, partner) in partners.enumerated() {
            Elementwise.mix(
                batch.rows(clip * steps..<(clip + 1) * steps), copy.rows(partner * steps..<(partner + 1) * steps), share: share,
                context.workers)
        }
    }
}
