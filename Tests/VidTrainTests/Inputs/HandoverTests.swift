import Synchronization
import Testing
import VidTrain

/// Values that one task makes ahead and another takes.
@Suite struct HandoverTests {
    @Test(arguments: [1, 3]) func valuesInTheirOrderAndOnlySomeAhead(room: Int) async throws {
        let handover = Handover<Int>(room: room)
        let given = Atomic<Int>(0)
        async let giving: Void = {
            defer { handover.end() }
            for number in 0..<200 {
                try await handover.give(number)
                given.wrappingAdd(1, ordering: .sequentiallyConsistent)
            }
        }()
        var taken = 0
        while let value = await handover.next() {
            #expect(value == taken)
            taken += 1
            if taken % 50 == 0 { try await Task.sleep(for: .milliseconds(5)) }
            #expect(given.load(ordering: .sequentiallyConsistent) <= taken + room)
        }
        try await giving
        #expect(taken == 200)
        #expect(await handover.next() == nil)
    }

    /// Whoever gives is not left waiting when nobody takes any more.
    @Test func nobodyTakes() async throws {
        let handover = Handover<Int>(room: 1)
        try await handover.give(1)
        let waiting = Task { try await handover.give(2) }
        try await Task.sleep(for: .milliseconds(20))
        handover.end()
        await #expect(throws: CancellationError.self) { try await waiting.value }
        await #expect(throws: CancellationError.self) { try await handover.give(3) }
        // What was given is still there.
        #expect(await handover.next() == 1)
        #expect(await handover.next() == nil)
    }
}
