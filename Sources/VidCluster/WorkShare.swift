/// Shares out numbered items of work: each rank takes one, and the next one when it is done.
package struct WorkShare {
    /// Rank 0 has stopped the work.
    package struct Stopped: Error {}

    /// Items that a rank of several takes at a time: the one it works on, and those it loads meanwhile. More of them would keep the
    /// other ranks waiting at the end.
    package static let ahead = 3

    /// Works on all items, which all ranks call together.
    ///
    /// - Parameters:
    ///   - ahead: items that a rank takes at a time.
    ///   - items: the items in the order in which they are given out. Called on rank 0 alone.
    ///   - upcoming: receives the items that this rank works on next, so that it can load them.
    ///   - next: chooses the one of them to work on now; by default the first.
    ///   - work: works on an item on this rank. The result goes to rank 0.
    ///   - finished: called on rank 0 alone, once for each item. An error here or in `items` stops the work on all ranks.
    /// - Throws: an error of `items` and `finished`, on rank 0; `Stopped` on the others then; an error of `work`; the failure of the
    ///   cluster.
    package static func run(
        in cluster: any Cluster, ahead: Int = ahead, items: () throws -> [Int], upcoming: ([Int]) async -> Void,
        next: ([Int]) async -> Int = { $0[0] }, work: (Int) async throws -> [UInt8], finished: (Int, [UInt8]) throws -> Void
    ) async throws {
        if cluster.isLeader {
            try await lead(cluster, ahead, items, upcoming, next, work, finished)
        } else {
            try await follow(cluster, ahead, upcoming, next, work)
        }
    }

    private static func lead(
        _ cluster: any Cluster, _ ahead: Int, _ items: () throws -> [Int], _ upcoming: ([Int]) async -> Void,
        _ next: ([Int]) async -> Int, _ work: (Int) async throws -> [UInt8], _ finished: (Int, [UInt8]) throws -> Void
    ) async throws {
        let items = Result { try items() }
        let queue = WorkQueue((try? items.get()) ?? [])
        if case .failure = items { queue.end(stopped: true) }
        let servers = cluster.others.map { other in
            Task {
                do {
                    try await serve(other, from: queue, in: cluster)
                } catch {
                    queue.fail(error)
                }
            }
        }
        let result: Result<Void, any Error>
        do {
            _ = try items.get()
            var own: [Int] = []
            while true {
                while own.count < ahead, let item = queue.take() { own.append(item) }
                if !own.isEmpty {
                    await upcoming(own)
                    let item = await next(own)
                    try finished(item, try await work(item))
                    own.removeAll { $0 == item }
                }
                guard let others = try await queue.results(waits: own.isEmpty) else { break }
                for (item, bytes) in others { try finished(item, bytes) }
            }
            queue.end(stopped: false)
            result = .success(())
        } catch {
            queue.end(stopped: true)
            result = .failure(error)
        }
        // The other ranks get their last answers.
        for server in servers { await server.value }
        try result.get()
    }

    /// Gives one rank as many items as it takes at a time, then another one for each result, until nothing is left. The last answer says
    /// how the work ended: an error on rank 0 may come after a rank has done its part.
    private static func serve(_ rank: Int, from queue: WorkQueue, in cluster: any Cluster) async throws {
        var open = 0
        for _ in 0..<number(try await cluster.receive(from: rank, on: .requests)) {
            let next = queue.give()
            if next >= 0 { open += 1 }
            try await cluster.send(bytes(next), to: rank, on: .items)
        }
        while open > 0 {
            let result = try await cluster.receive(from: rank, on: .requests)
            queue.deliver(number(result), Array(result.dropFirst(8)))
            let next = queue.give()
            if next < 0 { open -= 1 }
            try await cluster.send(bytes(next), to: rank, on: .items)
        }
        try await cluster.send(bytes(await queue.lastAnswer()), to: rank, on: .items)
    }

    /// Takes items and sends their results until nothing is left.
    private static func follow(
        _ cluster: any Cluster, _ ahead: Int, _ upcoming: ([Int]) async -> Void, _ next: ([Int]) async -> Int,
        _ work: (Int) async throws -> [UInt8]
    ) async throws {
        try await cluster.send(bytes(Int64(ahead)), to: 0, on: .requests)
        var (answers, own, isStopped) = (ahead, [Int](), false)
        while true {
            while answers > 0 {
                let next = number(try await cluster.receive(from: 0, on: .items))
                answers -= 1
                if next >= 0 { own.append(next) } else if next == WorkQueue.Answer.stopped.rawValue { isStopped = true }
            }
            guard !own.isEmpty else { break }
            await upcoming(own)
            let item = await next(own)
            // After a stop rank 0 drops the results.
            let result = isStopped ? [] : try await work(item)
            own.removeAll { $0 == item }
            try await cluster.send(bytes(Int64(item)) + result, to: 0, on: .requests)
            answers += 1
        }
        let last = number(try await cluster.receive(from: 0, on: .items))
        if last == WorkQueue.Answer.stopped.rawValue { throw Stopped() }
    }

    private static func number(_ bytes: [UInt8]) -> Int { bytes.withUnsafeBytes { Int($0.loadUnaligned(as: Int64.self)) } }

    private static func bytes(_ number: Int64) -> [UInt8] { withUnsafeBytes(of: number) { Array($0) } }
}
