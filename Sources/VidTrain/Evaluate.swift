import VidData
import VidModel
import VidTensor

extension Predictor {
    /// Evaluates clips whose features are known, `batchSize` at a time.
    package func evaluate(_ clips: LabelledClips, features: FeatureStore, batchSize: Int) -> Evaluation {
        let input = Buffer(count: min(batchSize, clips.count) * features.steps * features.features)
        defer { withExtendedLifetime(input) {} }
        let masks = Workspace()
        var logits: [[Float]] = []
        for start in stride(from: 0, to: clips.count, by: batchSize) {
            let indices = Array(start..<min(clips.count, start + batchSize))
            let batch = input.tensor([indices.count, features.steps, features.features])
            features.gather(indices[...], into: batch)
            masks.reset()
            let mask = Batch.mask(indices.map { features.validFrames[$0] }, steps: features.steps, masks)
            let rows = self.logits(batch, mask: mask)
            for row in 0..<indices.count { logits.append(rows.rows(row..<row + 1).array) }
        }
        return evaluation(clips, logits)
    }

    /// Evaluates clips from their frames, one after the other, loading ahead.
    package func evaluate(_ clips: LabelledClips, progress: (_ done: Int, _ total: Int) throws -> Void) async throws -> Evaluation {
        var logits: [[Float]] = []
        for index in 0..<clips.count {
            await clips.source.prefetch(index..<min(clips.count, index + 4))
            logits += self.logits(try await clips.source.clips([index]))
            try progress(index + 1, clips.count)
        }
        return evaluation(clips, logits)
    }

    private func evaluation(_ clips: LabelledClips, _ logits: [[Float]]) -> Evaluation {
        let scores = logits.indices.map { ClipScores(clip: clips.names[$0], label: clips.labels[$0], scores: Scores.softmax(logits[$0])) }
        let losses = logits.indices.map { Scores.crossEntropy(logits[$0], label: clips.labels[$0]) }
        return Evaluation(classes: classifier.classes, clips: scores, losses: losses)
    }
}
