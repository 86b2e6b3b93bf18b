import VidSystem

// Messages of any size, and what all ranks do together.

extension Cluster {
    /// The bytes of a message's first part, which begins with the size of the whole. Most messages have no other part.
    private static var firstPart: Int { 4096 }

    /// Sends a message of any size.
    package func send(_ bytes: [UInt8], to rank: Int, on channel: Channel) async throws {
        let first = MessageMemory(Self.firstPart)
        let head = min(bytes.count, Self.firstPart - 8)
        first.memory.start.storeBytes(of: UInt64(bytes.count), as: UInt64.self)
        bytes.withUnsafeBytes {
            (first.memory.start + 8).copyMemory(from: $0.baseAddress ?? UnsafeRawPointer(first.memory.start), byteCount: head)
        }
        try await send(Memory(first.memory.start, count: 8 + head), to: rank, on: channel).wait()
        guard head < bytes.count else { return }
        let rest = MessageMemory(bytes.count - head)
        bytes.withUnsafeBytes { rest.memory.start.copyMemory(from: $0.baseAddress! + head, byteCount: rest.memory.count) }
        try await send(rest.memory, to: rank, on: channel).wait()
        withExtendedLifetime((first, rest)) {}
    }

    /// Receives a message that `send(_:to:on:)` has sent.
    package func receive(from rank: Int, on channel: Channel) async throws -> [UInt8] {
        let first = MessageMemory(Self.firstPart)
        let received = try await receive(into: first.memory, from: rank, on: channel).wait()
        let size = Int(first.memory.start.load(as: UInt64.self))
        var bytes = [UInt8](UnsafeRawBufferPointer(start: first.memory.start + 8, count: received - 8))
        if bytes.count < size {
            let rest = MessageMemory(size - bytes.count)
            try await receive(into: rest.memory, from: rank, on: channel).wait()
            bytes.append(contentsOf: UnsafeRawBufferPointer(start: rest.memory.start, count: rest.memory.count))
        }
        return bytes
    }

    /// Gives the bytes of rank 0 to all ranks, along a binomial tree: in ceil(log2(size)) rounds.
    ///
    /// - Parameter memory: what rank 0 sends and the others receive; of the same size everywhere.
    package func broadcast(_ memory: Memory) async throws {
        var reach = 1
        while reach < size {
            if rank < reach, rank + reach < size { try await send(memory, to: rank + reach, on: .together).wait() }
            if (reach..<2 * reach).contains(rank) { try await receive(into: memory, from: rank - reach, on: .together).wait() }
            reach *= 2
        }
    }

    /// Gives a message of rank 0 to all ranks.
    ///
    /// - Parameter bytes: rank 0's; not used elsewhere.
    package func broadcast(_ bytes: [UInt8]) async throws -> [UInt8] {
        var bytes = bytes
        var reach = 1
        while reach < size {
            if rank < reach, rank + reach < size { try await send(bytes, to: rank + reach, on: .together) }
            if (reach..<2 * reach).contains(rank) { bytes = try await receive(from: rank - reach, on: .together) }
            reach *= 2
        }
        return bytes
    }

    /// Gives numbers of rank 0 to all ranks.
    package func broadcast(_ numbers: [Int]) async throws -> [Int] {
        let bytes = try await broadcast(numbers.map(Int64.init).withUnsafeBytes { Array($0) })
        return bytes.withUnsafeBytes { bytes in
            stride(from: 0, to: bytes.count, by: 8).map { Int(bytes.loadUnaligned(fromByteOffset: $0, as: Int64.self)) }
        }
    }

    /// Collects one message of each rank at rank 0, by rank.
    ///
    /// - Returns: nil on the other ranks.
    package func gather(_ bytes: [UInt8]) async throws -> [[UInt8]]? {
        guard isLeader else {
            try await send(bytes, to: 0, on: .together)
            return nil
        }
        var all = [bytes]
        for other in others { all.append(try await receive(from: other, on: .together)) }
        return all
    }

    /// Returns when all ranks have called it; whether any of them says so.
    package func any(_ isSo: Bool) async throws -> Bool {
        guard isShared else { return isSo }
        let all = try await gather([isSo ? 1 : 0])
        return try await broadcast([all?.contains([1]) == true ? 1 : 0]) == [1]
    }
}

/// Memory of one message, freed with its last reference.
private final class MessageMemory: @unchecked Sendable {
    let memory: Memory

    init(_ count: Int) { memory = Memory(.allocate(byteCount: max(count, 8), alignment: 16), count: count) }

    deinit { memory.start.deallocate() }
}
