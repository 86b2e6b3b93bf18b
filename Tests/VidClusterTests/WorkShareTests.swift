import Synchronization
import Testing
import VidCluster
import VidTestSupport

@Suite struct WorkShareTests {
    private struct Failure: Error {}

    /// Runs 20 items and returns, for each rank, those that it worked on and, for rank 0, those that were finished.
    private func run(
        _ size: Int, ahead: Int = WorkShare.ahead, failing: Int? = nil, stopsAfter: Int? = nil
    ) async throws -> [(worked: [Int], finished: [Int], isStopped: Bool)] {
        try await LocalCluster.run(size) { cluster in
            var (worked, finished) = ([Int](), [Int]())
            do {
                try await WorkShare.run(in: cluster, ahead: ahead) {
                    Array((0..<20).reversed())
                } upcoming: { items in
                    precondition(!items.isEmpty && items.count <= ahead)
                } work: { item in
                    worked.append(item)
                    await Task.yield()
                    return [UInt8](repeating: UInt8(item), count: item * 500)
                } finished: { item, bytes in
                    precondition(bytes == [UInt8](repeating: UInt8(item), count: item * 500))
                    finished.append(item)
                    if finished.count == stopsAfter { throw Failure() }
                }
            } catch is Failure {
                return (worked, finished, true)
            } catch is WorkShare.Stopped {
                return (worked, finished, true)
            }
            return (worked, finished, false)
        }
    }

    @Test(arguments: 1...5) func everyItemIsWorkedOnOnce(size: Int) async throws {
        let ranks = try await run(size)
        #expect(ranks.flatMap(\.worked).sorted() == Array(0..<20))
        #expect(ranks[0].finished.sorted() == Array(0..<20))
        #expect(ranks.dropFirst().allSatisfy { $0.finished.isEmpty && !$0.isStopped })
        // A rank works in the order in which the items are given out.
        for rank in ranks { #expect(rank.worked == Array(rank.worked.sorted().reversed())) }
    }

    @Test func oneProcessKeepsTheOrder() async throws {
        #expect(try await run(1)[0].finished == Array((0..<20).reversed()))
    }

    @Test(arguments: 1...4) func aStopReachesAllRanks(size: Int) async throws {
        let ranks = try await run(size, stopsAfter: 3)
        #expect(ranks.map(\.isStopped) == [Bool](repeating: true, count: size))
        #expect(ranks[0].finished.count == 3)
        #expect(ranks.flatMap(\.worked).count < 20)
    }

    /// The others have done their part by then.
    @Test(arguments: 1...4) func aStopAtTheLastResultReachesAllRanks(size: Int) async throws {
        let ranks = try await run(size, stopsAfter: 20)
        #expect(ranks.map(\.isStopped) == [Bool](repeating: true, count: size))
        #expect(ranks.flatMap(\.worked).count == 20 && ranks[0].finished.count == 20)
    }

    @Test func itemsThatCannotBeListedStopAllRanks() async throws {
        let stopped = try await LocalCluster.run(3) { cluster in
            do {
                try await WorkShare.run(in: cluster) {
                    throw Failure()
                } upcoming: { _ in
                } work: { _ in
                    []
                } finished: { _, _ in
                }
                return false
            } catch is Failure {
                return cluster.isLeader
            } catch is WorkShare.Stopped {
                return !cluster.isLeader
            }
        }
        #expect(stopped == [true, true, true])
    }

    /// The item to work on next need not be the first.
    @Test(arguments: 1...3) func anyOfTheNextItemsCanBeChosen(size: Int) async throws {
        let ranks = try await LocalCluster.run(size) { cluster in
            var (worked, finished) = ([Int](), [Int]())
            try await WorkShare.run(in: cluster) {
                Array(0..<20)
            } upcoming: { _ in
            } next: { items in
                items[items.count - 1]
            } work: { item in
                worked.append(item)
                await Task.yield()
                return [UInt8(item)]
            } finished: { item, bytes in
                precondition(bytes == [UInt8(item)])
                finished.append(item)
            }
            return (worked, finished)
        }
        #expect(ranks.flatMap(\.0).sorted() == Array(0..<20))
        #expect(ranks[0].1.sorted() == Array(0..<20))
        if size == 1 { #expect(ranks[0].0.first == WorkShare.ahead - 1 && ranks[0].0.last == 0) }
    }
}
