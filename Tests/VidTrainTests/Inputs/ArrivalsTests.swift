import Testing
import VidTrain

/// Which of several items that are being loaded is worked on next.
@Suite struct ArrivalsTests {
    @Test func theFirstThatIsThere() async {
        let arrivals = Arrivals<Int>()
        arrivals.arrive(3)
        arrivals.arrive(2)
        #expect(await arrivals.next(of: [1, 2, 3]) == 2)
        arrivals.remove(2)
        #expect(await arrivals.next(of: [1, 3]) == 3)
        arrivals.arrive(1)
        #expect(await arrivals.next(of: [1, 3]) == 1)
    }

    /// Errors come in the order of the items.
    @Test func oneThatFailedWaitsForItsTurn() async {
        let arrivals = Arrivals<Int>()
        arrivals.arrive(2, failed: true)
        arrivals.arrive(3)
        #expect(await arrivals.next(of: [1, 2, 3]) == 3)
        #expect(await arrivals.next(of: [2, 3]) == 2)
        async let next = arrivals.next(of: [1, 2])
        await Task.yield()
        arrivals.arrive(1, failed: true)
        #expect(await next == 1)
    }

    @Test func oneThatIsWaitedFor() async throws {
        let arrivals = Arrivals<Int>()
        let next = Task { await arrivals.next(of: [1, 2]) }
        try await Task.sleep(for: .milliseconds(20))
        // It is none of those.
        arrivals.arrive(3)
        arrivals.arrive(2)
        #expect(await next.value == 2)
    }
}
