import VidCluster
import VidData
import VidSystem
import VidTrain

extension EvaluateOrder {
    /// Has the other ranks take part in an evaluation that comes now.
    ///
    /// - Parameter checkpoint: the model's file.
    static func send(
        _ checkpoint: String, frameFolderRate: Double?, _ clips: LabelledClips, to cluster: any Cluster
    ) async throws {
        guard cluster.isShared else { return }
        let order = EvaluateOrder(
            model: ModelOrder(frameFolderRate: frameFolderRate), paths: clips.source.paths, ids: clips.names,
            labels: clips.labels)
        try await ClusterOrder.evaluate(order).send(to: cluster)
        try await ModelOrder.send(checkpoint, to: cluster)
    }

    /// Takes part in an evaluation that rank 0 has ordered.
    func work(_ runtime: Runtime) async throws {
        let saved = try await model.receive(from: runtime.cluster)
        let entries = zip(paths, zip(ids, labels)).map { DataSet.Entry(path: $0, id: $1.0, label: $1.1, split: .test) }
        let (predictor, inputs) = try saved.evaluation(of: entries, in: runtime)
        do {
            _ = try await predictor.evaluate(inputs, in: runtime.cluster) { _, _ in }
        } catch is WorkShare.Stopped {}
    }
}

extension SavedModel {
    /// The predictor and the inputs for an evaluation of these clips.
    ///
    /// - Throws: `.badData` where the model does not fit into memory.
    func evaluation(of entries: [DataSet.Entry], in runtime: Runtime) throws -> (Predictor, StepInputs) {
        let predictor = try predictor(for: .evaluation, loadedClips: min(entries.count, ClipSource.ahead + 1), runtime.workers)
        let inputs = try StepInputs(
            LabelledClips(entries, loader: loader, keepingBytes: 0), .evaluation(configuration), in: predictor,
            features: FeatureStorage(cache: runtime.cache, keepsInMemory: false))
        return (predictor, inputs)
    }
}
