import VidData
import VidModel
import VidTensor

extension Predictor {
    /// Evaluates clips, as many at a time as `inputs` says, loading ahead.
    ///
    /// - Parameter progress: called after each batch; throws to stop.
    package func evaluate(_ inputs: StepInputs, progress: (_ done: Int, _ total: Int) throws -> Void) async throws -> Evaluation {
        let clips = inputs.clips
        var logits: [[Float]] = []
        for start in stride(from: 0, to: clips.count, by: inputs.batchSize) {
            let indices = start..<min(clips.count, start + inputs.batchSize)
            let next = indices.upperBound..<min(clips.count, indices.upperBound + ClipSource.ahead)
            pass.workspace.reset()
            let batch = pass.workspace.take(classifier.trainedInputShape.prepending(indices.count * classifier.frames))
            let validFrames = try await inputs.gather(Array(indices)[...], next: Array(next)[...], into: batch)
            logits += self.logits(input: batch, validFrames: validFrames)
            try progress(indices.upperBound, clips.count)
        }
        let scores = logits.indices.map { ClipScores(clip: clips.names[$0], label: clips.labels[$0], scores: Scores.softmax(logits[$0])) }
        let losses = logits.indices.map { Scores.crossEntropy(logits[$0], label: clips.labels[$0]) }
        return Evaluation(classes: classifier.classes, clips: scores, losses: losses)
    }
}
