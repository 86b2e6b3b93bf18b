import VidSystem
import VidTensor

/// The sums of one step over its shards: those of this rank one after the other, then those of all ranks.
///
/// For each shard, compute its values in `values`; call `add` before the next one, and `finish` after the last one, which leaves the sum
/// over all shards there, on all ranks. Its bits depend on the number of shards alone (`SumTree`).
///
/// The ranks add buckets of a few MB, from the end of the values to their beginning. In each bucket a rank adds one part for all (a
/// reduce-scatter) and gives it to the others (an all-gather), so that it sends 2 (size - 1) / size times the values where every rank has
/// one node of the tree, however many ranks there are. A bucket is sent as soon as `areFinal` says so, while the values before it are
/// still being computed: backward passes compute the gradients of the last layers first.
package final class ShardSums {
    private let cluster: any Cluster
    private let tree: SumTree
    private let workers: Workers
    /// The values of the current shard, and in the end the sum.
    private let values: Tensor
    /// Values in a bucket.
    private let bucket: Int
    /// Sums of this rank's shards before the current one, largest nodes first, each in one of `buffers`.
    private var done: [(node: Range<Int>, value: Tensor)] = []
    private let buffers: [Buffer]
    /// The terms that other ranks send for the parts that this rank adds up, bucket by bucket.
    private let incoming: Buffer
    /// The nodes of each rank.
    private let nodes: [[Range<Int>]]
    /// The first of the values whose bucket is under way, and the used part of `incoming`.
    private var place: (first: Int, incoming: Int)
    private var pipeline: Pipeline?

    /// The shards that this rank computes.
    package let own: Range<Int>

    /// 4 MiB.
    private static let bucketSize = 1 << 20

    /// - Parameters:
    ///   - values: the memory of a shard's values, which must outlive these sums.
    ///   - bucket: values in a bucket.
    /// - Throws: `.other` if memory runs out.
    package init(
        _ tree: SumTree, _ values: Tensor, bucket: Int = bucketSize, in cluster: any Cluster, _ workers: Workers
    ) throws(VidclassError) {
        self.cluster = cluster
        self.tree = tree
        self.workers = workers
        self.values = values
        self.bucket = bucket
        own = tree.share(of: cluster.rank, size: cluster.size)
        let nodes = ShardSums.nodes(tree, cluster.size)
        self.nodes = nodes
        var buffers: [Buffer] = []
        for _ in 0..<ShardSums.bufferCount(tree, own) { buffers.append(try Buffer(allocating: values.count, isZeroed: false)) }
        self.buffers = buffers
        place = (values.count, 0)
        let foreign = nodes.indices.filter { $0 != cluster.rank }.reduce(0) { $0 + nodes[$1].count }
        var parts = 0
        for end in stride(from: values.count, to: 0, by: -bucket) {
            parts += ShardSums.part(cluster.rank, of: max(0, end - bucket)..<end, size: cluster.size).count
        }
        incoming = try Buffer(allocating: foreign * parts, isZeroed: false)
    }

    /// Bytes of the memory besides the values.
    package static func bytes(_ tree: SumTree, values: Int, rank: Int = 0, size: Int = 1) -> Int {
        let own = bufferCount(tree, tree.share(of: rank, size: size))
        let foreign = nodes(tree, size).reduce(0) { $0 + $1.count }
        return Size.product(own + (size > 1 ? (foreign + size - 1) / size : 0), values, MemoryLayout<Float>.stride)
    }

    /// Sums that must be kept while the shards of `own` are computed one after the other; the last one stays where it is.
    private static func bufferCount(_ tree: SumTree, _ own: Range<Int>) -> Int {
        own.reduce(0) { max($0, tree.nodes(in: own.lowerBound..<$1).count) }
    }

    private static func nodes(_ tree: SumTree, _ size: Int) -> [[Range<Int>]] {
        (0..<size).map { tree.nodes(in: tree.share(of: $0, size: size)) }
    }

    /// The part of a bucket that a rank adds up for all: whole cache lines but for the last part.
    private static func part(_ rank: Int, of bucket: Range<Int>, size: Int) -> Range<Int> {
        let lines = (0..<(bucket.count + 15) / 16).shard(rank, of: size)
        func place(_ line: Int) -> Int { min(bucket.upperBound, bucket.lowerBound + line * 16) }
        return place(lines.lowerBound)..<place(lines.upperBound)
    }

    /// Takes the values of one of this rank's shards but the last, whose values may then be overwritten.
    package func add(_ shard: Int) {
        precondition(own.contains(shard) && shard + 1 < own.upperBound, "shard \(shard) of \(own)")
        var node = shard..<shard + 1
        while let left = done.last, let parent = tree.parent(left.node, node) {
            Elementwise.add(left.value, values, into: values, workers)
            done.removeLast()
            node = parent
        }
        let copy = buffers[done.count].tensor(values.shape)
        copy.copy(from: values)
        done.append((node, copy))
    }

    /// The last shard's values at `first` and after it are final: they can be added to those of the other ranks.
    package func areFinal(from first: Int) {
        while place.first > 0, first <= max(0, place.first - bucket) {
            let range = max(0, place.first - bucket)..<place.first
            place.first = range.lowerBound
            start(range)
        }
    }

    /// Adds the shards of all ranks.
    ///
    /// - Throws: the failure of the cluster.
    package func finish() async throws {
        areFinal(from: 0)
        (done, place) = ([], (values.count, 0))
        defer { pipeline = nil }
        try await pipeline?.finish()
    }

    /// Adds this rank's shards in the values of `range`, and starts to exchange them.
    private func start(_ range: Range<Int>) {
        func slice(_ tensor: Tensor, _ range: Range<Int>) -> Tensor { Tensor(tensor.base + range.lowerBound, [range.count]) }
        var sums = done.map { ($0.node, slice($0.value, range)) }
        if let last = own.last {
            let current = slice(values, range)
            var node = last..<last + 1
            while let left = sums.last, let parent = tree.parent(left.0, node) {
                Elementwise.add(left.1, current, into: current, workers)
                sums.removeLast()
                node = parent
            }
            sums.append((node, current))
        }
        guard cluster.isShared else { return }
        let mine = ShardSums.part(cluster.rank, of: range, size: cluster.size)
        func part(_ sum: Tensor, _ rank: Int) -> Tensor {
            let part = ShardSums.part(rank, of: range, size: cluster.size)
            return slice(sum, part.lowerBound - range.lowerBound..<part.upperBound - range.lowerBound)
        }
        var transfers: [Transfer] = []
        var terms: [(node: Range<Int>, value: Tensor)] = []
        for rank in 0..<cluster.size {
            if rank == cluster.rank {
                terms += sums.map { ($0.0, part($0.1, rank)) }
                continue
            }
            for node in nodes[rank] {
                let term = incoming.tensor([mine.count], offset: place.incoming)
                place.incoming += mine.count
                terms.append((node, term))
                transfers.append(cluster.receive(into: term.memory, from: rank, on: .sums))
            }
        }
        // Every rank begins with another one, so that no link has all of them at a time.
        for step in 1..<cluster.size {
            let rank = (cluster.rank + step) % cluster.size
            for (_, sum) in sums { transfers.append(cluster.send(part(sum, rank).memory, to: rank, on: .sums)) }
        }
        let pipeline = pipeline ?? Pipeline(cluster, tree)
        self.pipeline = pipeline
        pipeline.add(
            .init(terms: terms, transfers: transfers, parts: (0..<cluster.size).map { part(slice(values, range), $0) }))
    }

    /// The buckets under way, in their order.
    private final class Pipeline: Sendable {
        struct Bucket: Sendable {
            /// This rank's part of each node's sum, from left to right, when the transfers have ended.
            let terms: [(node: Range<Int>, value: Tensor)]
            let transfers: [Transfer]
            /// The parts of the sum, by rank.
            let parts: [Tensor]
        }

        private let buckets: AsyncStream<Bucket>.Continuation
        private let task: Task<Void, any Error>

        init(_ cluster: any Cluster, _ tree: SumTree) {
            let (stream, continuation) = AsyncStream.makeStream(of: Bucket.self)
            buckets = continuation
            task = Task {
                // One thread: the others compute what comes before these buckets.
                let workers = Workers(count: 1)
                var gathered: [Transfer] = []
                for await bucket in stream {
                    for transfer in bucket.transfers { try await transfer.wait() }
                    let total = tree.sum(bucket.terms) { left, right in
                        Elementwise.add(left, right, into: left, workers)
                        return left
                    }
                    let mine = bucket.parts[cluster.rank]
                    if total.base != mine.base { mine.copy(from: total) }
                    for step in 1..<cluster.size {
                        let (next, previous) = ((cluster.rank + step) % cluster.size, (cluster.rank + cluster.size - step) % cluster.size)
                        gathered.append(cluster.receive(into: bucket.parts[previous].memory, from: previous, on: .totals))
                        gathered.append(cluster.send(mine.memory, to: next, on: .totals))
                    }
                }
                for transfer in gathered { try await transfer.wait() }
            }
        }

        func add(_ bucket: Bucket) { buckets.yield(bucket) }

        func finish() async throws {
            buckets.finish()
            try await task.value
        }
    }
}

extension Tensor {
    fileprivate var memory: Memory { Memory(base, floats: count) }
}
