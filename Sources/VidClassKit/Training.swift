internal import Dispatch
internal import Synchronization
internal import VidConfig
internal import VidRun
internal import VidSystem

/// A training, new or resumed, that tells what happens as an asynchronous sequence of events.
///
/// ```swift
/// let training = Training(try Configuration().setting("data.path", to: "videos"))
/// for try await event in training.events() {
///     switch event {
///     case .epoch(let epoch): print(epoch.number, epoch.validationAccuracy ?? epoch.accuracy)
///     case .finished(let result): print(result.checkpoint)
///     default: break
///     }
/// }
/// ```
///
/// It does what `vidclass train` does: it checks every clip, trains, saves each epoch in a run's folder (`output.directory`), and writes a
/// report. The same configuration and clips give the same weights at any number of threads, to the last bit.
public final class Training: Sendable {
    private enum Start {
        case new(RunConfiguration, older: String?)
        case chosen(data: String, settings: [String], isFromScratch: Bool)
        case resumed(run: String, settings: [String])
    }

    private struct State {
        var isStarted = false
        var isStopRequested = false
        /// From now on a stop saves everything; before, there is nothing to save.
        var hasBegun = false
    }

    private let start: Start
    private let threads: Int?
    private let usesCache: Bool
    private let state = Mutex(State())

    private init(_ start: Start, _ threads: Int?, _ usesCache: Bool) {
        (self.start, self.threads, self.usesCache) = (start, threads, usesCache)
    }

    /// A new training, in a new run's folder.
    ///
    /// - Parameters:
    ///   - configuration: everything that the training depends on. Its `data.path` names the clips.
    ///   - older: a model whose layers are taken where they fit by name and shape.
    ///   - threads: computing threads, from 1 to 1024; nil for the number of processors.
    ///   - usesCache: whether features of frozen layers and results of checks are kept for later trainings, in `$XDG_CACHE_HOME/vidclass`.
    public convenience init(
        _ configuration: Configuration, startingFrom older: Checkpoint? = nil, threads: Int? = nil, usesCache: Bool = true
    ) {
        self.init(.new(configuration.run, older: older?.path), threads, usesCache)
    }

    /// A new training whose configuration is chosen for its clips, as `vidclass train DATA` does.
    ///
    /// - Parameters:
    ///   - data: a folder or table of labelled clips; see ``DataSet``.
    ///   - settings: values that replace chosen ones, each as `KEY=VALUE`, such as `training.epochs=3`.
    ///   - startsFromScratch: whether a small CNN is trained from random weights, which needs no ImageNet weights.
    ///   - threads: computing threads, from 1 to 1024; nil for the number of processors.
    ///   - usesCache: whether features of frozen layers and results of checks are kept for later trainings, in `$XDG_CACHE_HOME/vidclass`.
    public convenience init(
        choosingFor data: String, settings: [String] = [], startsFromScratch: Bool = false, threads: Int? = nil, usesCache: Bool = true
    ) {
        self.init(.chosen(data: data, settings: settings, isFromScratch: startsFromScratch), threads, usesCache)
    }

    /// Continues a stopped run, or does nothing for one that is over. The result is that of a training that was never stopped.
    ///
    /// - Parameters:
    ///   - run: the run's folder.
    ///   - settings: values that may change, each as `KEY=VALUE`, such as `training.epochs=40`.
    ///   - threads: computing threads, from 1 to 1024; nil for the number of processors.
    ///   - usesCache: whether features of frozen layers and results of checks are kept for later trainings, in `$XDG_CACHE_HOME/vidclass`.
    public convenience init(resuming run: String, settings: [String] = [], threads: Int? = nil, usesCache: Bool = true) {
        self.init(.resumed(run: run, settings: settings), threads, usesCache)
    }

    /// Asks the training to stop after its current step. It saves everything and ends with ``TrainingEvent/stopped(run:)``, or, if nothing
    /// was trained yet, with a `CancellationError`.
    public func stop() { state.withLock { $0.isStopRequested = true } }

    /// Starts the training, once, in a task of its own.
    ///
    /// If the task that iterates is cancelled, or stops iterating, the training stops as with ``stop()``, shortly afterwards. To wait until
    /// everything is saved, call `stop()` and iterate to the end.
    ///
    /// - Returns: the events, which end with ``TrainingEvent/finished(_:)`` or ``TrainingEvent/stopped(run:)``. The sequence throws
    ///   ``VidClassError`` with `.badData`, `.missingInput` or `.inputOutput` for data, weights and files, `.nonFinite` if the loss
    ///   diverges, `.busy` if another process trains in the run's folder, and `.usage` if the training was started before.
    public func events() -> AsyncThrowingStream<TrainingEvent, any Error> {
        AsyncThrowingStream { continuation in
            let isFirst = state.withLock { state in
                defer { state.isStarted = true }
                return !state.isStarted
            }
            guard isFirst else {
                return continuation.finish(throwing: VidClassError(.usage, "this training was started before; make another"))
            }
            continuation.onTermination = { _ in self.stop() }
            Task.detached(executorPreference: OwnThread()) {
                do {
                    try await self.run { if let event = TrainingEvent($0) { continuation.yield(event) } }
                    continuation.finish()
                } catch {
                    continuation.finish(throwing: VidClassError.publicForm(of: error))
                }
            }
        }
    }

    private func run(_ tell: @escaping @Sendable (RunEvent) -> Void) async throws {
        let runtime = try Runtime(threads: threads, usesCache: usesCache) { event in
            if self.state.withLock({ $0.isStopRequested && !$0.hasBegun }) { throw CancellationError() }
            tell(event)
        }
        let run = try await TrainingRun(try await plan(runtime), in: runtime)
        state.withLock { $0.hasBegun = true }
        _ = try await run.run(until: StopCondition(run.configuration) { self.state.withLock { $0.isStopRequested } })
    }

    private func plan(_ runtime: Runtime) async throws -> TrainingPlan {
        switch start {
        case .new(let configuration, let older):
            return try await TrainingPlan(configuration, from: older.map { try WarmStart($0) }, in: runtime)
        case .chosen(let data, let settings, let isFromScratch):
            return try await ChosenTraining(for: data, overrides: settings, startsFromScratch: isFromScratch, in: runtime).plan
        case .resumed(let run, let settings):
            let folder = try RunFolder.existing(run)
            guard !folder.hasFolds else {
                throw VidclassError.file(
                    run, "this is the folder of a training with folds; resume it with the program vidclass", kind: .usage)
            }
            return try await TrainingPlan(resuming: folder, overrides: settings, in: runtime)
        }
    }
}

/// Runs the training's tasks on a thread of its own: its steps would occupy a thread of those on which all tasks of the host take turns.
private final class OwnThread: TaskExecutor {
    private let queue = DispatchQueue(label: "vidclass.training")

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        queue.async { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}
