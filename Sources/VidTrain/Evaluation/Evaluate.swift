import VidData
import VidModel
import VidTensor

extension Predictor {
    /// Samples that the head takes at a time in an evaluation. It is fixed, because the last digits depend on it.
    package static let evaluationGroup = 16

    /// Evaluates clips, loading ahead. The scores of several samples of a clip are averaged.
    ///
    /// - Parameter progress: called with the number of clips done; throws to stop.
    package func evaluate(_ inputs: StepInputs, progress: (_ done: Int, _ total: Int) throws -> Void) async throws -> Evaluation {
        let clips = inputs.clips
        let perClip = inputs.plan.perClip ?? 1
        let items = clips.count * perClip
        var logits: [[Float]] = []
        for start in stride(from: 0, to: items, by: Predictor.evaluationGroup) {
            let group = start..<min(items, start + Predictor.evaluationGroup)
            context.workspace.reset()
            let features = context.workspace.take([group.count * classifier.frames, classifier.features])
            var validFrames: [Int] = []
            for item in group {
                let row = (item - start) * classifier.frames
                validFrames.append(
                    try await encode(inputs, item, of: items, into: features.rows(row..<row + classifier.frames)))
                try progress((item + 1) / perClip, clips.count)
            }
            logits += self.logits(features: features, validFrames)
        }
        var scores: [ClipScores] = []
        var losses: [Double] = []
        for (clip, name) in clips.names.enumerated() {
            let samples = Array(logits[clip * perClip..<(clip + 1) * perClip])
            scores.append(ClipScores(clip: name, label: clips.labels[clip], scores: Scores.mean(samples)))
            losses.append(Scores.crossEntropy(samples, label: clips.labels[clip]))
        }
        return Evaluation(classes: classifier.classes, clips: scores, losses: losses)
    }

    /// Writes the features (T, F) of one sample; returns how many of its frames are not padding.
    private func encode(_ inputs: StepInputs, _ item: Int, of items: Int, into features: Tensor) async throws -> Int {
        let mark = context.workspace.mark
        defer { context.workspace.release(to: mark) }
        let next = (item + 1..<min(items, item + 1 + ClipSource.ahead)).map(inputs.sample(item:))
        guard let trained = classifier.trained else {
            return try await inputs.gather([inputs.sample(item: item)], next: next, into: features)[0]
        }
        let batch = context.workspace.take(classifier.trainedInputShape.prepending(classifier.frames))
        let validFrames = try await inputs.gather([inputs.sample(item: item)], next: next, into: batch)
        trained.encode(frames: batch, into: features, context)
        return validFrames[0]
    }
}
