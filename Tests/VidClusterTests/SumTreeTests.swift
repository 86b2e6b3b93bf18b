import Testing
import VidCluster
import VidTensor
import VidTestSupport

@Suite struct SumTreeTests {
    /// The sum as the tree is defined, on one process.
    static func reference(_ values: [Float], _ node: Range<Int>) -> Float {
        guard let middle = SumTree.middle(node) else { return values[node.lowerBound] }
        return reference(values, node.lowerBound..<middle) + reference(values, middle..<node.upperBound)
    }

    @Test func splitsAtTheLargestPowerOfTwo() {
        #expect(SumTree.middle(0..<1) == nil)
        #expect([2, 3, 4, 5, 7, 8, 9].map { SumTree.middle(10..<10 + $0) } == [11, 12, 12, 14, 14, 14, 18])
        #expect(SumTree(shards: 6).nodes(in: 0..<6) == [0..<6])
        #expect(SumTree(shards: 6).nodes(in: 1..<6) == [1..<2, 2..<4, 4..<6])
        #expect(SumTree(shards: 8).nodes(in: 3..<7) == [3..<4, 4..<6, 6..<7])
        #expect(SumTree(shards: 3).nodes(in: 2..<2) == [])
    }

    @Test(arguments: 1...17) func partsOfRanksCoverAllShardsInOrder(shards: Int) {
        let tree = SumTree(shards: shards)
        for size in 1...20 {
            let parts = (0..<size).map { tree.share(of: $0, size: size) }
            #expect(parts.flatMap(Array.init) == Array(0..<shards))
            // Rank 0 always has the first shard, which carries an epoch's sums on.
            #expect(parts[0].first == 0)
            let busy = parts.filter { !$0.isEmpty }.map(\.count)
            #expect(busy.count == min(size, shards))
            #expect((busy.max() ?? 0) - (busy.min() ?? 0) <= 1)
        }
    }

    @Test(arguments: 1...17) func addsInTheOrderOfTheTree(shards: Int) {
        var random = RandomGenerator(seed: 3, stream: UInt64(shards))
        let values = (0..<shards).map { _ in random.uniform(-1, 1) * Float(1 << random.below(20)) }
        let tree = SumTree(shards: shards)
        let expected = SumTreeTests.reference(values, tree.root)
        for size in 1...5 {
            let nodes = (0..<size).flatMap { tree.nodes(in: tree.share(of: $0, size: size)) }
            let sum = tree.sum(nodes.map { ($0, SumTreeTests.reference(values, $0)) }) { $0 + $1 }
            #expect(sum.bitPattern == expected.bitPattern)
        }
    }

    /// The sums of `ShardSums` on any number of ranks have the bits of the tree.
    @Test(arguments: [1, 2, 3, 4, 6, 8], 1...5) func sumsOfAnyRanksHaveTheSameBits(shards: Int, ranks: Int) async throws {
        // Not a multiple of a cache line, and for some ranks less than one.
        for (count, bucket) in [(1, 64), (45, 64), (1000, 64), (1000, 2000)] {
            let sums = try await LocalCluster.run(ranks) { cluster in
                let workers = Workers(count: 1)
                let values = try Buffer(allocating: count)
                let sums = try ShardSums(SumTree(shards: shards), values.tensor([count]), bucket: bucket, in: cluster, workers)
                for shard in sums.own {
                    values.tensor([count]).copy(from: SumTreeTests.values(of: shard, count))
                    if shard + 1 < sums.own.upperBound {
                        sums.add(shard)
                        values.tensor([count]).fill(.nan)
                    } else {
                        // The others become final bit by bit.
                        for first in stride(from: count, through: 0, by: -100) { sums.areFinal(from: first) }
                    }
                }
                try await sums.finish()
                return values.tensor([count]).array
            }
            let all = (0..<shards).map { SumTreeTests.values(of: $0, count) }
            let expected = (0..<count).map { place in SumTreeTests.reference(all.map { $0[place] }, 0..<shards).bitPattern }
            for sum in sums { #expect(sum.map(\.bitPattern) == expected) }
        }
    }

    static func values(of shard: Int, _ count: Int) -> [Float] {
        var random = RandomGenerator(seed: 5, stream: UInt64(shard))
        return (0..<count).map { _ in random.uniform(-1, 1) * Float(1 << random.below(20)) }
    }
}
