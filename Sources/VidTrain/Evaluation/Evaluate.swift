import VidCluster
import VidData
import VidModel
import VidTensor

extension Predictor {
    /// Evaluates clips, loading ahead. The scores of several samples of a clip are averaged. The ranks of a cluster share out the
    /// encoding and all get the evaluation.
    ///
    /// - Parameters:
    ///   - familiarity: judges each clip; nil: none is judged.
    ///   - progress: called on rank 0 with the number of clips done; throws to stop.
    /// - Throws: `WorkShare.Stopped` on the other ranks after a stop.
    package func evaluate(
        _ inputs: StepInputs, familiarity: Familiarity? = nil, in cluster: any Cluster = Alone(),
        progress: (_ done: Int, _ total: Int) throws -> Void
    ) async throws -> Evaluation {
        let clips = inputs.clips
        let perClip = inputs.plan.perClip ?? 1
        var logits: [[Float]] = []
        var means: [[Float]] = []
        var done = 0
        try await encode(inputs, items: Array(0..<clips.count * perClip), in: cluster) {
            done += 1
            try progress(done / perClip, clips.count)
        } each: { features, count in
            let group = PredictionMemory.evaluationGroup
            for first in stride(from: 0, to: count, by: group) {
                let rows = first..<min(count, first + group)
                let mark = context.workspace.mark
                logits += self.logits(features: features.outputs(rows), Array(features.validFrames[rows]))
                context.workspace.release(to: mark)
            }
            if familiarity != nil { means += self.means(features, count) }
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

    /// The features (`Classifier.meanFeature`) of some clips, loading ahead; those of several samples of a clip are averaged. The ranks of
    /// a cluster share out the encoding.
    ///
    /// - Parameter progress: called on rank 0 after each clip; throws to stop.
    func meanFeatures(
        _ inputs: StepInputs, of clips: [Int], in cluster: any Cluster, progress: () throws -> Void
    ) async throws -> [[Float]] {
        let perClip = inputs.plan.perClip ?? 1
        var samples: [[Float]] = []
        var done = 0
        try await encode(inputs, items: clips.flatMap { clip in (0..<perClip).map { clip * perClip + $0 } }, in: cluster) {
            done += 1
            if done % perClip == 0 { try progress() }
        } each: {
            samples += means($0, $1)
        }
        return clips.indices.map { Familiarity.mean(Array(samples[$0 * perClip..<($0 + 1) * perClip])) }
    }

    private func means(_ features: FeatureStore, _ count: Int) -> [[Float]] {
        (0..<count).map { classifier.meanFeature(features.output($0), validFrames: features.validFrames[$0]) }
    }

    /// Computes the features of samples, some at a time, on all ranks of the cluster.
    ///
    /// - Parameters:
    ///   - items: the samples, of those that are the same each time.
    ///   - finished: called on rank 0 after each sample.
    ///   - each: receives the features of the next samples, and their number. They lie in the workspace.
    private func encode(
        _ inputs: StepInputs, items: [Int], in cluster: any Cluster, finished: () throws -> Void, each: (FeatureStore, Int) -> Void
    ) async throws {
        defer { inputs.save() }
        // Features that are in memory everywhere need no sharing.
        let cluster: any Cluster = inputs.store == nil || classifier.trained != nil ? cluster : Alone()
        let size = PredictionMemory.evaluationWindow * cluster.size
        let shape: Shape = [min(items.count, size) * classifier.frames, classifier.features]
        let shared = cluster.isShared ? try Buffer(allocating: shape.count, isZeroed: false) : nil
        // Samples that were asked for ahead, and not worked on yet.
        var upcoming: Set<Int> = []
        for start in stride(from: 0, to: items.count, by: size) {
            let window = start..<min(items.count, start + size)
            upcoming = upcoming.filter(window.contains)
            context.workspace.reset()
            let features = FeatureStore(in: shared?.tensor(shape) ?? context.workspace.take(shape), steps: classifier.frames)
            try await encode(inputs, items, window, into: features, in: cluster, &upcoming, finished)
            each(features, window.count)
        }
    }

    /// Fills `features` with those of the samples in `window`, a range of `items`, on all ranks of the cluster.
    private func encode(
        _ inputs: StepInputs, _ items: [Int], _ window: Range<Int>, into features: FeatureStore, in cluster: any Cluster,
        _ upcoming: inout Set<Int>, _ finished: () throws -> Void
    ) async throws {
        func sample(_ place: Int) -> Sample { inputs.sample(item: items[place]) }
        let ahead = cluster.isShared ? WorkShare.ahead : ClipSource.ahead
        try await WorkShare.run(in: cluster, ahead: ahead) {
            let isRecalled = inputs.store == nil && classifier.trained == nil
            let missing = isRecalled ? try inputs.recall(window, into: features, sample: sample, recalled: finished) : Array(window)
            return cluster.isShared ? inputs.clips.source.longestFirst(missing) { sample($0).clip } : missing
        } upcoming: { places in
            // Alone, the samples behind this window are the next ones, too.
            let behind = cluster.isShared ? [] : Array(window.upperBound..<min(items.count, window.upperBound + ahead - places.count))
            let new = (places + behind).filter { upcoming.insert($0).inserted }
            await inputs.prefetch(new.map(sample))
        } next: { places in
            places[await inputs.next(of: places.map(sample))]
        } work: { place in
            let row = place - window.lowerBound
            let validFrames = try await encode(inputs, sample(place), into: features.output(row))
            features.setValidFrames(validFrames, of: row)
            upcoming.remove(place)
            return cluster.isLeader ? [] : features.bytes(of: row)
        } finished: { place, bytes in
            if !bytes.isEmpty { features.set(place - window.lowerBound, bytes) }
            try finished()
        }
        try await features.share(in: cluster)
    }

    /// Writes the features (T, F) of one sample; returns how many of its frames are not padding.
    private func encode(_ inputs: StepInputs, _ sample: Sample, into features: Tensor) async throws -> Int {
        let mark = context.workspace.mark
        defer { context.workspace.release(to: mark) }
        guard let trained = classifier.trained else { return try await inputs.gather([sample], next: [], into: features)[0] }
        let batch = context.workspace.take(classifier.trainedInputShape.prepending(classifier.frames))
        let validFrames = try await inputs.gather([sample], next: [], into: batch)
        trained.encode(frames: batch, into: features, context)
        return validFrames[0]
    }
}
