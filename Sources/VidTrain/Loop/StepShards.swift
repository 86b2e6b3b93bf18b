import VidCluster
import VidModel
import VidSystem
import VidTensor

/// The shards of a training's steps: each is computed as if it were the whole step, and their results are added in the order of
/// `SumTree`, whichever ranks have computed them.
///
/// Added are the gradients, the loss and the correct decisions. The moving statistics of trained batch normalization become the mean
/// over the shards that have clips: each shard normalizes by its own statistics, as each replica does in Keras's MirroredStrategy and
/// PyTorch's DistributedDataParallel.
final class StepShards {
    private let cluster: any Cluster
    private let tree: SumTree
    private let parameters: ParameterStore
    private let gradients: ShardSums
    private let moving: MovingStatistics?

    /// The shards that this rank computes.
    var own: Range<Int> { gradients.own }
    var count: Int { tree.shards }

    /// - Throws: `.other` if memory runs out.
    init(_ shards: Int, of parameters: ParameterStore, in cluster: any Cluster, _ workers: Workers) throws {
        self.cluster = cluster
        self.parameters = parameters
        tree = SumTree(shards: shards)
        try parameters.reserveGradients()
        let values = parameters.gradients
        gradients = try ShardSums(tree, values.tensor([values.count]), in: cluster, workers)
        moving = shards > 1 || cluster.isShared ? try MovingStatistics(tree, parameters, cluster, workers) : nil
    }

    /// The part of a batch that belongs to a shard.
    func part(_ shard: Int, of batch: Range<Int>) -> Range<Int> { batch.shard(shard, of: count) }

    /// Lets the ranks add the gradients of layers that the last pass of this rank's last shard has finished, while it computes the
    /// others. Returns nil where there is nothing to gain.
    func observer(ofLastPass isLast: Bool) -> ((_ layer: String) -> Void)? {
        guard isLast, cluster.isShared else { return nil }
        var unfinished = parameters.slices.filter { $0.isTrainable && $0.name.hasPrefix("cnn/") }.sorted { $0.offset < $1.offset }
        return { [gradients, parameters] layer in
            unfinished.removeAll { $0.layer == "cnn/\(layer)" }
            gradients.areFinal(
                from: (unfinished.last?.range.upperBound ?? parameters.trainableRange.lowerBound) - parameters.trainableRange.lowerBound)
        }
    }

    /// Starts a shard: gradients are 0, and moving statistics are those before the step.
    func begin(_ shard: Int) {
        parameters.zeroGradients()
        if shard == own.lowerBound { moving?.remember() } else { moving?.restore() }
    }

    /// Takes the results of the next of this rank's shards.
    ///
    /// - Parameter isEmpty: whether it had no clips.
    func end(_ shard: Int, isEmpty: Bool) {
        let isLast = shard + 1 == own.upperBound
        if !isLast { gradients.add(shard) }
        moving?.end(shard, isEmpty: isEmpty, isLast: isLast)
    }

    /// Adds the results of all shards, on all ranks: then the gradients are those of the whole step.
    ///
    /// - Parameter metrics: those of this rank's shards.
    /// - Returns: those of the whole step.
    /// - Throws: the failure of the cluster.
    func finish(_ metrics: [RunningMetrics]) async throws -> RunningMetrics {
        try await gradients.finish()
        try await moving?.finish()
        let all = try await cluster.gatherAll(metrics)
        let numbered = all.enumerated().map { (node: $0.offset..<$0.offset + 1, value: $0.element) }
        return tree.sum(numbered) { $0 + $1 }
    }
}

/// The moving statistics of trained batch normalization during a step of several shards.
private final class MovingStatistics {
    private let parameters: ParameterStore
    private let slices: [ParameterSlice]
    private let before: Buffer
    /// Those of a shard, and a 1 for each that has clips.
    private let values: Buffer
    private let sums: ShardSums

    /// Returns nil where nothing is normalized by its batch.
    init?(_ tree: SumTree, _ parameters: ParameterStore, _ cluster: any Cluster, _ workers: Workers) throws {
        self.parameters = parameters
        slices = parameters.movingStatistics
        guard !slices.isEmpty else { return nil }
        let count = slices.reduce(0) { $0 + $1.count }
        before = try Buffer(allocating: count)
        values = try Buffer(allocating: count + 1)
        sums = try ShardSums(tree, values.tensor([count + 1]), in: cluster, workers)
    }

    func remember() { copy { before.base.advanced(by: $1).update(from: $0.base, count: $0.count) } }

    func restore() { copy { $0.base.update(from: before.base + $1, count: $0.count) } }

    func end(_ shard: Int, isEmpty: Bool, isLast: Bool) {
        copy {
            let target = values.base + $1
            if isEmpty { target.update(repeating: 0, count: $0.count) } else { target.update(from: $0.base, count: $0.count) }
        }
        values.base[before.count] = isEmpty ? 0 : 1
        if !isLast { sums.add(shard) }
    }

    func finish() async throws {
        try await sums.finish()
        let shards = values.base[before.count]
        copy { slice, offset in
            for i in 0..<slice.count { slice.base[i] = values.base[offset + i] / shards }
        }
        parameters.didChange()
    }

    /// Calls `body` with each statistic and its place in the buffers.
    private func copy(_ body: (_ slice: Tensor, _ offset: Int) -> Void) {
        var offset = 0
        for slice in slices {
            body(parameters.value(slice), offset)
            offset += slice.count
        }
    }
}

extension Cluster {
    /// The metrics of all shards on all ranks, by shard.
    fileprivate func gatherAll(_ metrics: [RunningMetrics]) async throws -> [RunningMetrics] {
        guard isShared else { return metrics }
        let own = metrics.flatMap { [$0.loss.bitPattern, UInt64(bitPattern: Int64($0.correct)), UInt64(bitPattern: Int64($0.clips))] }
        let all = try await gather(own.withUnsafeBytes { Array($0) })
        let bytes = try await broadcast(all.map { Array($0.joined()) } ?? [])
        let numbers = bytes.withUnsafeBytes { bytes in
            stride(from: 0, to: bytes.count, by: 8).map { bytes.loadUnaligned(fromByteOffset: $0, as: UInt64.self) }
        }
        return stride(from: 0, to: numbers.count, by: 3).map {
            var metrics = RunningMetrics()
            metrics.loss = Double(bitPattern: numbers[$0])
            metrics.correct = Int(truncatingIfNeeded: numbers[$0 + 1])
            metrics.clips = Int(truncatingIfNeeded: numbers[$0 + 2])
            return metrics
        }
    }
}
