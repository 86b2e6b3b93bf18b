import Synchronization

/// Items of work that rank 0 gives out one by one, and their results as they come in from the other ranks.
final class WorkQueue: Sendable {
    private struct State {
        /// Items that nobody has taken, the next one last.
        var items: [Int]
        /// Items that other ranks are working on.
        var given = 0
        var results: [(item: Int, bytes: [UInt8])] = []
        var failure: (any Error)?
        var isStopped = false
        /// Whether rank 0 is through with the work, to its end or by a stop.
        var isOver = false
        var waiting: CheckedContinuation<Void, Never>?
        var waitingForEnd: [CheckedContinuation<Void, Never>] = []
    }

    /// The answer to a request for an item.
    enum Answer: Int64 {
        case noneLeft = -1
        case stopped = -2
    }

    private let state: Mutex<State>

    init(_ items: [Int]) { state = Mutex(State(items: items.reversed())) }

    /// The next item for rank 0 itself; nil when all are taken.
    func take() -> Int? { state.withLock { $0.isStopped ? nil : $0.items.popLast() } }

    /// The next item for another rank, or an `Answer`.
    func give() -> Int64 {
        state.withLock {
            if $0.isStopped { return Answer.stopped.rawValue }
            guard let item = $0.items.popLast() else { return Answer.noneLeft.rawValue }
            $0.given += 1
            return Int64(item)
        }
    }

    /// Takes the result of an item that was given to another rank.
    func deliver(_ item: Int, _ bytes: [UInt8]) {
        change {
            $0.given -= 1
            $0.results.append((item, bytes))
        }
    }

    /// Another rank has failed.
    func fail(_ error: any Error) { change { $0.failure = error } }

    /// Rank 0 is through with the work. After a stop nobody gets an item any more.
    func end(stopped: Bool) {
        let waiting = state.withLock { state in
            (state.isStopped, state.isOver) = (stopped, true)
            defer { state.waitingForEnd = [] }
            return state.waitingForEnd
        }
        for rank in waiting { rank.resume() }
    }

    /// The last answer to a rank that has nothing left to do: how the work ended, when rank 0 is through with it.
    func lastAnswer() async -> Int64 {
        await withCheckedContinuation { continuation in
            let isOver = state.withLock {
                if !$0.isOver { $0.waitingForEnd.append(continuation) }
                return $0.isOver
            }
            if isOver { continuation.resume() }
        }
        return state.withLock { $0.isStopped ? Answer.stopped.rawValue : Answer.noneLeft.rawValue }
    }

    /// The results that have come in since the last call; waits for one if all items are taken and some are still being worked on.
    ///
    /// - Returns: nil when all results have been returned.
    /// - Throws: the failure of another rank.
    func results(waits: Bool) async throws -> [(item: Int, bytes: [UInt8])]? {
        while true {
            let (found, isOver) = try state.withLock { state in
                if let failure = state.failure { throw failure }
                defer { state.results = [] }
                return (state.results, state.results.isEmpty && state.given == 0)
            }
            if !found.isEmpty || !waits { return found }
            if isOver { return nil }
            await withCheckedContinuation { continuation in
                let isReady = state.withLock {
                    if !$0.results.isEmpty || $0.failure != nil { return true }
                    $0.waiting = continuation
                    return false
                }
                if isReady { continuation.resume() }
            }
        }
    }

    private func change(_ body: (inout sending State) -> Void) {
        let waiting = state.withLock { state in
            body(&state)
            defer { state.waiting = nil }
            return state.waiting
        }
        waiting?.resume()
    }
}
