import Synchronization

/// Hands values from one task to another in their order. The task that gives them may be some values ahead.
package final class Handover<Value: Sendable>: Sendable {
    private struct State {
        var values: [Value] = []
        var isEnded = false
        var giver: CheckedContinuation<Void, Never>?
        var taker: CheckedContinuation<Void, Never>?

        /// Those who can go on.
        mutating func wake() -> [CheckedContinuation<Void, Never>] {
            defer { (giver, taker) = (nil, nil) }
            return [giver, taker].compactMap(\.self)
        }
    }

    private let room: Int
    private let state = Mutex(State())

    /// - Parameter room: values that may wait to be taken.
    package init(room: Int) {
        precondition(room > 0, "room for \(room) values")
        self.room = room
    }

    /// Gives a value as soon as there is room. One task at a time may give.
    ///
    /// - Throws: `CancellationError` after `end`.
    package func give(_ value: Value) async throws {
        while true {
            let (isDone, woken) = try state.withLock { state in
                guard !state.isEnded else { throw CancellationError() }
                guard state.values.count < room else { return (false, [CheckedContinuation<Void, Never>]()) }
                state.values.append(value)
                return (true, state.wake())
            }
            for continuation in woken { continuation.resume() }
            if isDone { return }
            await withCheckedContinuation { continuation in
                let goesOn = state.withLock { state in
                    guard state.values.count >= room, !state.isEnded else { return true }
                    state.giver = continuation
                    return false
                }
                if goesOn { continuation.resume() }
            }
        }
    }

    /// Takes the next value when there is one; nil at the end. One task at a time may take.
    package func next() async -> Value? {
        while true {
            let (value, isEnded, woken) = state.withLock { state in
                guard !state.values.isEmpty else { return (nil as Value?, state.isEnded, [CheckedContinuation<Void, Never>]()) }
                return (state.values.removeFirst(), false, state.wake())
            }
            for continuation in woken { continuation.resume() }
            if value != nil || isEnded { return value }
            await withCheckedContinuation { continuation in
                let goesOn = state.withLock { state in
                    guard state.values.isEmpty, !state.isEnded else { return true }
                    state.taker = continuation
                    return false
                }
                if goesOn { continuation.resume() }
            }
        }
    }

    /// No more values are given or, if the taker calls it, taken. What was given before can still be taken.
    package func end() {
        let woken = state.withLock { state in
            state.isEnded = true
            return state.wake()
        }
        for continuation in woken { continuation.resume() }
    }
}
