internal import CVidClass
import Dispatch
import Synchronization
import VidClassKit

/// Runs the body of a C function.
///
/// - Returns: 0, or an error's code; the calling thread keeps its text.
func call(_ body: () throws -> Void) -> CInt {
    do {
        try Models.checkProcess()
        try body()
        return 0
    } catch {
        let error = error as? VidClassError ?? VidClassError(.other, "\(error)")
        vc_set_error_text(([error.message] + error.advice).joined(separator: " "))
        return CInt(error.code.rawValue)
    }
}

/// The model of a handle.
///
/// - Throws: `.usage` if there is none.
func model(_ handle: OpaquePointer?) throws -> LoadedModel {
    guard let model = Models.find(handle) else {
        throw VidClassError(.usage, handle == nil ? "model: expected a model, found NULL" : "model: it was freed, or never loaded")
    }
    return model
}

/// The value of an argument that may not be null.
///
/// - Throws: `.usage` for NULL.
func required<Pointer>(_ argument: Pointer?, _ name: String, _ expected: String) throws -> Pointer {
    guard let argument else { throw VidClassError(.usage, "\(name): expected \(expected), found NULL") }
    return argument
}

/// Writes the scores of a prediction to memory of the caller that was checked before.
///
/// - Throws: `.usage` for NULL and for another number of scores than that of the model's classes, and the errors of `predict`.
func writeScores(
    of model: LoadedModel, to scores: UnsafeMutablePointer<Float>?, _ count: Int, _ predict: () throws -> Prediction
) throws {
    let scores = try required(scores, "scores", "room for scores")
    let classes = model.predictor.checkpoint.classes.count
    guard count == classes else {
        throw VidClassError(.usage, "score_count: expected \(classes), the number of classes, found \(UInt(bitPattern: count))")
    }
    scores.update(from: try predict().scores, count: classes)
}

private final class Outcome<Value: Sendable>: Sendable {
    let result = Mutex<Result<Value, any Error>?>(nil)
}

/// Waits on the calling thread, which must not be one of Swift's pool, for the result of `body`.
func wait<Value: Sendable>(_ body: @escaping @Sendable () async throws -> Value) throws -> Value {
    let outcome = Outcome<Value>()
    let done = DispatchSemaphore(value: 0)
    Task.detached {
        let result: Result<Value, any Error>
        do { result = .success(try await body()) } catch { result = .failure(error) }
        outcome.result.withLock { $0 = result }
        done.signal()
    }
    done.wait()
    guard let result = outcome.result.withLock({ $0 }) else { preconditionFailure("the work has ended without a result") }
    return try result.get()
}
