import VidData
import VidModel
import VidTensor

extension Predictor {
    /// Samples that the head takes at a time in an evaluation. It is fixed, because the last digits depend on it.
    package static let evaluationGroup = 16

    /// Evaluates clips, loading ahead. The scores of several samples of a clip are averaged.
    ///
    /// - Parameters:
    ///   - familiarity: judges each clip; nil: none is judged.
    ///   - progress: called with the number of clips done; throws to stop.
    package func evaluate(
        _ inputs: StepInputs, familiarity: Familiarity? = nil, progress: (_ done: Int, _ total: Int) throws -> Void
    ) async throws -> Evaluation {
        let clips = inputs.clips
        let perClip = inputs.plan.perClip ?? 1
        let items = clips.count * perClip
        var logits: [[Float]] = []
        var means: [[Float]] = []
        for start in stride(from: 0, to: items, by: Predictor.evaluationGroup) {
            let group = start..<min(items, start + Predictor.evaluationGroup)
            context.workspace.reset()
            let features = context.workspace.take([group.count * classifier.frames, classifier.features])
            var validFrames: [Int] = []
            for item in group {
                let row = (item - start) * classifier.frames
                let output = features.rows(row..<row + classifier.frames)
                let next = (item + 1..<min(items, item + 1 + ClipSource.ahead)).map(inputs.sample(item:))
                validFrames.append(try await encode(inputs, inputs.sample(item: item), next: next, into: output))
                if familiarity != nil { means.append(classifier.meanFeature(output, validFrames: validFrames[item - start])) }
                try progress((item + 1) / perClip, clips.count)
            }
            logits += self.logits(features: features, validFrames)
        }
        var scores: [ClipScores] = []
        var losses: [Double] = []
        for (clip, name) in clips.names.enumerated() {
            let own = clip * perClip..<(clip + 1) * perClip
            let samples = Array(logits[own])
            let finding = familiarity.map { $0.finding(Familiarity.mean(Array(means[own]))) }
            scores.append(
                ClipScores(clip: name, label: clips.labels[clip], scores: Scores.mean(samples), isUnfamiliar: finding?.isUnfamiliar))
            losses.append(Scores.crossEntropy(samples, label: clips.labels[clip]))
        }
        return Evaluation(classes: classifier.classes, clips: scores, losses: losses)
    }

    /// The features (`Classifier.meanFeature`) of some clips, loading ahead; those of several samples of a clip are averaged.
    ///
    /// - Parameter progress: called after each clip; throws to stop.
    func meanFeatures(_ inputs: StepInputs, of clips: [Int], progress: () throws -> Void) async throws -> [[Float]] {
        let perClip = inputs.plan.perClip ?? 1
        let samples = clips.flatMap { clip in (0..<perClip).map { inputs.sample(item: clip * perClip + $0) } }
        var means: [[Float]] = []
        var own: [[Float]] = []
        for (place, sample) in samples.enumerated() {
            context.workspace.reset()
            let features = context.workspace.take([classifier.frames, classifier.features])
            let next = samples[place + 1..<min(samples.count, place + 1 + ClipSource.ahead)]
            let validFrames = try await encode(inputs, sample, next: Array(next), into: features)
            own.append(classifier.meanFeature(features, validFrames: validFrames))
            guard own.count == perClip else { continue }
            means.append(Familiarity.mean(own))
            own = []
            try progress()
        }
        return means
    }

    /// Writes the features (T, F) of one sample; returns how many of its frames are not padding.
    private func encode(_ inputs: StepInputs, _ sample: Sample, next: [Sample], into features: Tensor) async throws -> Int {
        let mark = context.workspace.mark
        defer { context.workspace.release(to: mark) }
        guard let trained = classifier.trained else { return try await inputs.gather([sample], next: next, into: features)[0] }
        let batch = context.workspace.take(classifier.trainedInputShape.prepending(classifier.frames))
        let validFrames = try await inputs.gather([sample], next: next, into: batch)
        trained.encode(frames: batch, into: features, context)
        return validFrames[0]
    }
}
