import VidCluster
import VidConfig
import VidSystem
import VidTrain

extension TrainingRun {
    /// A note on the ranks' part in this training where the user may expect another one; nil if there is nothing to say.
    package var clusterNote: String? {
        let (ranks, shards) = (runtime.cluster.size, configuration.training.shards)
        guard ranks > 1 else { return nil }
        if !trainer.sharesSteps {
            return "the ranks share out checking and encoding; rank 0 trains the head by itself, because its inputs stay in memory"
        }
        guard shards < ranks else { return nil }
        let busy = shards == 1 ? "1 rank computes" : "\(shards) ranks compute"
        return
            "training.shards is \(shards), so \(busy) the steps and \(ranks - shards) only help to encode and evaluate. For a new training "
            + "set it to a multiple of \(ranks), such as \(ShellText.setting("training.shards", "\(ranks)"))"
    }

    /// Has the other ranks take part in the stage that comes now.
    func announceStage() async throws {
        guard runtime.cluster.isShared, trainer.end == nil else { return }
        let order = try StageOrder(configuration, data, trainer.state, keepsFeatures: memoryPlan.keepsFeatures)
        try await ClusterOrder.train(order).send(to: runtime.cluster)
        try await FilePrint.compare(data, in: runtime.cluster)
        try await StageModel(trainer).share(in: runtime.cluster)
    }
}
