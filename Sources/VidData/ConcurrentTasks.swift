import VidSystem
import VidTensor

/// Runs `body`, which may start a child process, for each number below `count`, at most `limit` at a time, and passes each result
/// to `finish` as it arrives.
///
/// Rethrows the first error of `body`; throws `CancellationError` soon after the task is cancelled.
package func runConcurrently<Value: Sendable>(
    _ count: Int, limit: Int, _ body: @Sendable @escaping (Int) async throws -> Value, finish: (Int, Value) -> Void
) async throws {
    let limit = ProcessLimits.children(limit)
    try await withThrowingTaskGroup(of: (Int, Value).self) { group in
        for number in 0..<count {
            if number >= limit, let (done, value) = try await group.next() { finish(done, value) }
            group.addTask {
                try Task.checkCancellation()
                return (number, try await body(number))
            }
        }
        while let (done, value) = try await group.next() { finish(done, value) }
    }
}

/// The values of `body` for the numbers below `count`, in their order, computed by all processors: for microseconds of work each, such as a
/// look at a file.
///
/// - Parameter block: how many of them a processor takes at a time. For fewer in all, a second thread does not pay.
func mapInParallel<Value>(_ count: Int, block: Int = 256, _ body: (Int) -> Value) -> [Value] {
    guard count > block else { return (0..<count).map(body) }
    return [Value](unsafeUninitializedCapacity: count) { values, initialized in
        let workers = Workers()
        workers.forEachRange(of: count, size: block) { range, _ in
            for number in range { values.initializeElement(at: number, to: body(number)) }
        }
        initialized = count
    }
}
