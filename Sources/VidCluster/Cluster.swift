import Synchronization
import VidSystem

/// The processes that work on one command together. Rank 0 leads: it reads the command, prints and writes the files.
///
/// Every message has a channel. Messages on one channel from one rank to another arrive in the order in which they were sent.
package protocol Cluster: Sendable {
    /// This process's number, from 0.
    var rank: Int { get }
    var size: Int { get }

    /// Starts to send `memory` to another rank. It must neither change nor be freed before the transfer has ended.
    func send(_ memory: Memory, to rank: Int, on channel: Channel) -> Transfer

    /// Starts to receive one message of at most `memory.count` bytes from another rank; its size is the transfer's result.
    func receive(into memory: Memory, from rank: Int, on channel: Channel) -> Transfer
}

/// The purpose of a message.
package enum Channel: Int, Sendable, CaseIterable {
    /// Collective operations: all ranks take part, in the same order.
    case together
    /// Orders of rank 0 to the others (`ClusterOrder` of VidRun).
    case orders
    /// Items of work that are given out one by one, and their results.
    case requests
    case items
    /// Sums of a rank's shards of a step, and sums over all shards.
    case sums
    case totals
}

/// Bytes that are being sent or received. Whoever starts the transfer answers for their lifetime.
package struct Memory: @unchecked Sendable {
    package let start: UnsafeMutableRawPointer
    package let count: Int

    package init(_ start: UnsafeMutableRawPointer, count: Int) {
        self.start = start
        self.count = count
    }

    package init(_ floats: UnsafeMutablePointer<Float>, floats count: Int) {
        self.init(UnsafeMutableRawPointer(floats), count: count * MemoryLayout<Float>.stride)
    }
}

/// A message under way. It ends once: with the number of its bytes, or with an error.
package final class Transfer: Sendable {
    private enum State {
        case running
        case awaited(CheckedContinuation<Int, any Error>)
        case ended(Result<Int, any Error>)
    }

    private let state = Mutex(State.running)

    package init() {}

    /// Ends the transfer; may be called from any thread.
    package func end(_ result: Result<Int, any Error>) {
        let waiting: CheckedContinuation<Int, any Error>? = state.withLock { state in
            defer { state = .ended(result) }
            guard case .awaited(let continuation) = state else { return nil }
            return continuation
        }
        waiting?.resume(with: result)
    }

    /// Waits for the end and returns the number of bytes. For one caller.
    ///
    /// - Throws: the failure of the cluster.
    @discardableResult
    package func wait() async throws -> Int {
        try await withCheckedThrowingContinuation { continuation in
            let result: Result<Int, any Error>? = state.withLock {
                if case .ended(let result) = $0 { return result }
                $0 = .awaited(continuation)
                return nil
            }
            if let result { continuation.resume(with: result) }
        }
    }
}

/// One process by itself: it never sends anything.
package struct Alone: Cluster {
    package var rank: Int { 0 }
    package var size: Int { 1 }

    package init() {}

    package func send(_ memory: Memory, to rank: Int, on channel: Channel) -> Transfer { preconditionFailure("there is no rank \(rank)") }

    package func receive(into memory: Memory, from rank: Int, on channel: Channel) -> Transfer {
        preconditionFailure("there is no rank \(rank)")
    }
}

extension Cluster {
    package var isLeader: Bool { rank == 0 }
    package var isShared: Bool { size > 1 }

    /// The ranks besides this one.
    package var others: [Int] { (0..<size).filter { $0 != rank } }
}
