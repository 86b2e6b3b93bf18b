import VidData
import VidModel
import VidTensor

extension Predictor {
    /// Evaluates clips, as many at a time as `inputs` says, loading ahead. Where several samples are taken of a clip, their
    /// scores are averaged.
    ///
    /// - Parameter progress: called after each batch with clips; throws to stop.
    package func evaluate(_ inputs: StepInputs, progress: (_ done: Int, _ total: Int) throws -> Void) async throws -> Evaluation {
        let clips = inputs.clips
        let perClip = inputs.takings.perClip ?? 1
        let items = clips.count * perClip
        var logits: [[Float]] = []
        for start in stride(from: 0, to: items, by: inputs.batchSize) {
            let range = start..<min(items, start + inputs.batchSize)
            let next = range.upperBound..<min(items, range.upperBound + ClipSource.ahead)
            pass.workspace.reset()
            let batch = pass.workspace.take(classifier.trainedInputShape.prepending(range.count * classifier.frames))
            let validFrames = try await inputs.gather(range.map(inputs.draw(item:)), next: next.map(inputs.draw(item:)), into: batch)
            logits += self.logits(input: batch, validFrames: validFrames)
            try progress(range.upperBound / perClip, clips.count)
        }
        var scores: [ClipScores] = []
        var losses: [Double] = []
        for (clip, name) in clips.names.enumerated() {
            let samples = logits[clip * perClip..<(clip + 1) * perClip]
            let mean = Scores.mean(Array(samples))
            scores.append(ClipScores(clip: name, label: clips.labels[clip], scores: mean))
            losses.append(Scores.crossEntropy(Array(samples), label: clips.labels[clip]))
        }
        return Evaluation(classes: classifier.classes, clips: scores, losses: losses)
    }
}
