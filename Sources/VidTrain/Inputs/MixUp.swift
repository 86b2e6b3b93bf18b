import VidModel
import VidTensor

/// Mixes each clip of a batch with another one: mixup (Zhang et al. 2018), or behind frozen layers manifold mixup (Verma et al.
/// 2019).
///
/// The batch has one share, drawn from Beta(alpha, alpha). Clip i becomes share x clip i + (1 - share) x its partner, and so does
/// its target.
package struct MixUp: Sendable {
    /// At least 1/2: each clip outweighs its partner.
    package let share: Float
    /// The partner of each clip of the batch.
    package let partners: [Int]

    package init(clips: Int, alpha: Double, seed: UInt64, stream: UInt64) {
        var random = RandomGenerator(seed: seed, stream: stream)
        let drawn = Float(random.symmetricBeta(alpha))
        // Partners are random, so swapping the two shares does not change the distribution.
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
