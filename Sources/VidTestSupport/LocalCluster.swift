import Synchronization
import VidCluster

/// A cluster whose ranks are tasks of this process. Messages wait for their receivers in memory.
package final class LocalCluster: Cluster {
    package let rank: Int
    package let size: Int
    private let hub: Hub

    private init(_ rank: Int, _ size: Int, _ hub: Hub) { (self.rank, self.size, self.hub) = (rank, size, hub) }

    /// Runs `body` on `size` ranks at the same time.
    ///
    /// - Returns: their results, by rank.
    package static func run<Result: Sendable>(
        _ size: Int, _ body: @escaping @Sendable (LocalCluster) async throws -> Result
    ) async throws -> [Result] {
        let hub = Hub()
        let tasks = (0..<size).map { rank in Task { try await body(LocalCluster(rank, size, hub)) } }
        var results: [Result] = []
        for task in tasks { results.append(try await task.value) }
        return results
    }

    package func send(_ memory: Memory, to rank: Int, on channel: Channel) -> Transfer {
        hub.post(memory, isSend: true, Hub.Line(from: self.rank, to: rank, channel: channel))
    }

    package func receive(into memory: Memory, from rank: Int, on channel: Channel) -> Transfer {
        hub.post(memory, isSend: false, Hub.Line(from: rank, to: self.rank, channel: channel))
    }

    /// The bytes that this rank's cluster has moved, headers of messages included.
    package var bytesMoved: Int { hub.bytesMoved }
}

private final class Hub: Sendable {
    struct Line: Hashable {
        let from: Int
        let to: Int
        let channel: Channel
    }

    private struct Waiting {
        /// Messages that nobody has asked for, or requests that nobody has answered; never both.
        var transfers: [(memory: Memory, transfer: Transfer)] = []
        var areSends = true
    }

    private let state = Mutex<(lines: [Line: Waiting], bytes: Int)>(([:], 0))

    var bytesMoved: Int { state.withLock { $0.bytes } }

    func post(_ memory: Memory, isSend: Bool, _ line: Line) -> Transfer {
        let transfer = Transfer()
        let match: (memory: Memory, transfer: Transfer)? = state.withLock { state in
            var waiting = state.lines[line] ?? Waiting()
            defer { state.lines[line] = waiting }
            guard !waiting.transfers.isEmpty, waiting.areSends != isSend else {
                waiting.areSends = isSend
                waiting.transfers.append((memory, transfer))
                return nil
            }
            let match = waiting.transfers.removeFirst()
            let (source, target) = isSend ? (memory, match.memory) : (match.memory, memory)
            precondition(source.count <= target.count, "a message of \(source.count) bytes for \(target.count)")
            target.start.copyMemory(from: source.start, byteCount: source.count)
            state.bytes += source.count
            return match
        }
        if let match {
            let count = isSend ? memory.count : match.memory.count
            transfer.end(.success(count))
            match.transfer.end(.success(count))
        }
        return transfer
    }
}
