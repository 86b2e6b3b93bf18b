import Synchronization

/// The items that are being loaded and are there by now, so that one that takes long does not hold up those behind it.
package final class Arrivals<Item: Hashable & Sendable>: Sendable {
    private struct State {
        /// Items that are there, with whether they could be loaded.
        var arrived: [Item: Bool] = [:]
        var waiting: (items: [Item], continuation: CheckedContinuation<Item, Never>)?

        /// The first item whose turn it is.
        func choice(of items: [Item]) -> Item? {
            guard let first = items.first, arrived[first] == nil else { return items.first }
            return items.first { arrived[$0] == true }
        }
    }

    private let state = Mutex(State())

    package init() {}

    /// An item is there, or `failed`.
    package func arrive(_ item: Item, failed: Bool = false) {
        let found = state.withLock { state -> (Item, CheckedContinuation<Item, Never>)? in
            state.arrived[item] = !failed
            guard let waiting = state.waiting, let choice = state.choice(of: waiting.items) else { return nil }
            state.waiting = nil
            return (choice, waiting.continuation)
        }
        if let (item, continuation) = found { continuation.resume(returning: item) }
    }

    /// Waits for one of `items`, and returns the first that is there. One that failed waits for its turn to be the first, so that errors
    /// come in order. One task at a time may wait; each of the items must arrive some time.
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

    /// Forgets an item that was taken.
    package func remove(_ item: Item) { state.withLock { $0.arrived[item] = nil } }
}
