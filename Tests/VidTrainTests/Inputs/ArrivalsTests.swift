import Testing
import VidTrain

/// Which of several items that are being loaded is worked on next.
@Suite struct ArrivalsTests {
    private struct Failure: Error {}

    private let arrivals = Arrivals<Int, String>()
    /// Each item is loaded when its gate is told whether that succeeds.
    private let gates = (0..<4).map { _ in Handover<Bool>(room: 1) }

    private func load(_ items: [Int]) {
        for item in items {
            arrivals.load(item) { [gate = gates[item]] in
                guard await gate.next() == true else { throw Failure() }
                return "item \(item)"
            }
        }
    }

    @Test func theFirstThatIsThere() async throws {
        load([1, 2, 3])
        try await gates[3].give(true)
        #expect(await arrivals.next(of: [1, 2, 3]) == 3)
        #expect(try await arrivals.take(3) == "item 3")
        #expect(try await arrivals.take(3) == nil)
        // What nobody loads is not waited for.
        #expect(await arrivals.next(of: [1, 2, 3]) == 3)
        let next = Task { await arrivals.next(of: [1, 2]) }
        try await Task.sleep(for: .milliseconds(20))
        try await gates[2].give(true)
        #expect(await next.value == 2)
        try await gates[1].give(true)
        #expect(try await arrivals.take(1) == "item 1")
        #expect(try await arrivals.take(2) == "item 2")
    }

    /// Errors come in the order of the items.
    @Test func oneThatFailedWaitsForItsTurn() async throws {
        load([1, 2, 3])
        try await gates[2].give(false)
        await #expect(throws: Failure.self) { try await arrivals.take(2) }
        try await gates[3].give(true)
        #expect(await arrivals.next(of: [1, 2, 3]) == 3)
        #expect(await arrivals.next(of: [2, 3]) == 2)
        async let next = arrivals.next(of: [1, 2])
        await Task.yield()
        try await gates[1].give(false)
        #expect(await next == 1)
        await #expect(throws: Failure.self) { try await arrivals.take(1) }
        await #expect(throws: Failure.self) { try await arrivals.take(2) }
    }

    /// An item is loaded once until it is taken, and again after that or after all were forgotten.
    @Test func loadedOnce() async throws {
        load([0])
        load([0])
        try await gates[0].give(true)
        #expect(try await arrivals.take(0) == "item 0")
        load([0])
        let next = Task { await arrivals.next(of: [0]) }
        try await Task.sleep(for: .milliseconds(20))
        arrivals.cancel()
        #expect(await next.value == 0)
        #expect(try await arrivals.take(0) == nil)
        gates[0].end()
    }
}
