import Synchronization

/// Loads items ahead, and tells which are there, so that one that takes long does not hold up those behind it.
package final class Arrivals<Item: Hashable & Sendable, Value: Sendable>: Sendable {
    private struct State {
        /// The items that are being loaded, or are there and were not taken yet.
        var loading: [Item: Task<Value, any Error>] = [:]
        /// Those that are there, with whether they could be loaded.
        var arrived: [Item: Bool] = [:]
        var waiting: (items: [Item], continuation: CheckedContinuation<Item, Never>)?

        /// The first item whose turn it is. What nobody loads is not waited for.
        func choice(of items: [Item]) -> Item? {
            guard let first = items.first, loading[first] != nil, arrived[first] == nil else { return items.first }
            return items.first { loading[$0] == nil || arrived[$0] == true }
        }
    }

    private let state = Mutex(State())

    package init() {}

    /// Starts to load an item, unless that has begun before and it was not taken since.
    package func load(_ item: Item, _ body: @escaping @Sendable () async throws -> Value) {
        state.withLock { state in
            guard state.loading[item] == nil else { return }
            state.loading[item] = Task {
                do {
                    let value = try await body()
                    arrive(item, isWhole: true)
                    return value
                } catch {
                    arrive(item, isWhole: false)
                    throw error
                }
            }
        }
    }

    /// Waits until one of `items` is there, and returns the first that is. One that failed waits for its turn to be the first, so that
    /// errors come in order. One task at a time may wait.
    package func next(of items: [Item]) async -> Item {
        precondition(!items.isEmpty, "nothing to wait for")
        return await withCheckedContinuation { continuation in
            let choice = state.withLock { state -> Item? in
                if let choice = state.choice(of: items) { return choice }
                state.waiting = (items, continuation)
                return nil
            }
            if let choice { continuation.resume(returning: choice) }
        }
    }

    /// Waits for an item and hands it over; nil if nobody loads it. One that failed stays, and fails again.
    package func take(_ item: Item) async throws -> Value? {
        guard let task = state.withLock({ $0.loading[item] }) else { return nil }
        let value = try await task.value
        state.withLock { ($0.loading[item], $0.arrived[item]) = (nil, nil) }
        return value
    }

    /// Cancels what is being loaded, and forgets what is there.
    package func cancel() {
        let (tasks, waiting) = state.withLock { state in
            defer { state = State() }
            return (Array(state.loading.values), state.waiting)
        }
        for task in tasks { task.cancel() }
        if let (items, continuation) = waiting { continuation.resume(returning: items[0]) }
    }

    private func arrive(_ item: Item, isWhole: Bool) {
        let found = state.withLock { state -> (Item, CheckedContinuation<Item, Never>)? in
            // It may have been cancelled.
            guard state.loading[item] != nil else { return nil }
            state.arrived[item] = isWhole
            guard let waiting = state.waiting, let choice = state.choice(of: waiting.items) else { return nil }
            state.waiting = nil
            return (choice, waiting.continuation)
        }
        if let (item, continuation) = found { continuation.resume(returning: item) }
    }
}
