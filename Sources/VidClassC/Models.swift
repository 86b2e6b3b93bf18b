import Glibc
import Synchronization
import VidClassKit

/// A loaded model and its labels as C reads them.
final class LoadedModel: Sendable {
    let predictor: Predictor
    private let labels: [Label]

    /// Memory that nobody changes.
    private struct Label: @unchecked Sendable { let text: UnsafeMutablePointer<CChar> }

    /// - Throws: `.other` if memory runs out.
    init(_ predictor: Predictor) throws {
        self.predictor = predictor
        var labels: [Label] = []
        for label in predictor.checkpoint.classes {
            guard let text = strdup(label) else {
                for label in labels { free(label.text) }
                throw VidClassError(.other, "out of memory: the labels cannot be copied")
            }
            labels.append(Label(text: text))
        }
        self.labels = labels
    }

    deinit { for label in labels { free(label.text) } }

    func label(_ index: Int) -> UnsafePointer<CChar>? { labels.indices.contains(index) ? UnsafePointer(labels[index].text) : nil }
}

/// The models that were loaded and not freed. What C holds as a pointer is a model's number, which is never used again: so a freed model is
/// an error and not a crash.
enum Models {
    private struct State {
        var models: [UInt: LoadedModel] = [:]
        var next: UInt = 1
        /// The process that loaded the first one.
        var process: pid_t?
    }

    private static let state = Mutex(State())

    /// - Throws: `.usage` in a process that was forked after the first model was loaded: its threads are missing there.
    static func checkProcess() throws {
        let process = state.withLock { $0.process }
        guard process == nil || process == getpid() else {
            throw VidClassError(
                .usage,
                "this process was forked from one that had loaded a model, which leaves vidclass without its threads. Load models after "
                    + "forking, or start processes by exec (in Python: multiprocessing's \"spawn\")")
        }
    }

    static func add(_ model: LoadedModel) -> OpaquePointer? {
        state.withLock { state in
            defer { state.next += 1 }
            state.models[state.next] = model
            return OpaquePointer(bitPattern: state.next)
        }
    }

    /// Says that this process begins to load one.
    static func begin() { state.withLock { $0.process = $0.process ?? getpid() } }

    static func find(_ pointer: OpaquePointer?) -> LoadedModel? {
        pointer.flatMap { pointer in state.withLock { $0.models[UInt(bitPattern: pointer)] } }
    }

    /// Takes a model out; it ends when nobody uses it any more.
    static func remove(_ pointer: OpaquePointer?) -> LoadedModel? {
        pointer.flatMap { pointer in state.withLock { $0.models.removeValue(forKey: UInt(bitPattern: pointer)) } }
    }
}
