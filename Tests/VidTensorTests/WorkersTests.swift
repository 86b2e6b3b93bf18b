import Foundation
import Synchronization
import Testing
import VidTensor

@Suite struct WorkersTests {
    @Test(arguments: [1, 2, 3, 5], [0, 1, 2, 7, 1000])
    func everyBlockIsDoneOnce(_ count: Int, _ blocks: Int) {
        let workers = Workers(count: count)
        #expect(workers.count == count)
        let done = UnsafeMutableBufferPointer<Int>.allocate(capacity: max(blocks, 1))
        done.initialize(repeating: 0)
        defer { done.deallocate() }
        let strangers = Atomic<Int>(0)
        workers.forEach(blocks) { block, worker in
            done[block] += 1
            if worker < 0 || worker >= count { strangers.wrappingAdd(1, ordering: .relaxed) }
        }
        #expect(done[0..<blocks].allSatisfy { $0 == 1 })
        #expect(strangers.load(ordering: .relaxed) == 0)
    }

    /// Many small calls, one after the other: what one wrote, the next must see.
    @Test(arguments: [1, 2, 3, 4])
    func manySmallCalls(_ count: Int) {
        let workers = Workers(count: count)
        var values = [Int](repeating: 0, count: 8)
        values.withUnsafeMutableBufferPointer { values in
            let pointer = values.baseAddress!
            nonisolated(unsafe) let shared = pointer
            for round in 0..<20_000 {
                workers.forEach(1 + round % 8) { block, _ in
                    shared[block] += block == 0 ? 1 : shared[block] < 0 ? 0 : 1
                }
            }
        }
        #expect(values == (0..<8).map { block in 20_000 / 8 * (8 - block) })
    }

    @Test func rangesCoverTheWhole() {
        let workers = Workers(count: 2)
        let covered = Atomic<Int>(0)
        let longest = Atomic<Int>(0)
        workers.forEachRange(of: 1001, size: 64) { range, _ in
            covered.wrappingAdd(range.count, ordering: .relaxed)
            longest.max(range.count, ordering: .relaxed)
        }
        #expect(covered.load(ordering: .relaxed) == 1001)
        #expect(longest.load(ordering: .relaxed) == 64)
        workers.forEachRange(of: 0, size: 64) { _, _ in covered.wrappingAdd(1, ordering: .relaxed) }
        #expect(covered.load(ordering: .relaxed) == 1001)
    }

    /// Other tests start threads at the same time, but far fewer than the 400 of this one.
    @Test func theirThreadsEndWithThem() throws {
        func threads() throws -> Int { try FileManager.default.contentsOfDirectory(atPath: "/proc/self/task").count }
        let before = try threads()
        for _ in 0..<200 { Workers(count: 3).forEach(3) { _, _ in } }
        let after = try threads()
        #expect(after < before + 200)
    }
}
