import VidSystem

/// Runs `body`, which may start a child process, for each number below `count`, at most `limit` at a time, and passes each result
/// to `finish` as it arrives.
///
/// Rethrows the first error of `body`; throws `CancellationError` soon after the task is cancelled.
func runConcurrently<Value: Sendable>(
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
