import Synchronization
import Testing
import VidCheckpoint
import VidConfig
import VidData
import VidRun
import VidSystem
import VidTensor
import VidTestSupport
import VidTrain

/// Trainings as calls: no command, no terminal, only values and events.
@Suite struct TrainingRunTests {
    private let box: TestFolder

    /// Tiny clips of two classes, four each.
    init() async throws {
        box = try TestFolder()
        try await SyntheticClips(classes: 2, frames: 2, rows: 8, columns: 8, seed: 1)
            .write(to: box("data"), clipsPerClass: 4) { _, _ in }
    }

    private func configuration(_ overrides: String...) throws -> RunConfiguration {
        let json = """
            { "seed": 3,
              "model": { "input": { "frames": 2, "rows": 8, "columns": 8 },
                         "cnn": { "architecture": { "blocks": [[2]] }, "weights": null, "trainable": true },
                         "recurrent": [ { "type": "lstm", "units": 2 } ], "hidden": [] },
              "data": { "path": \(JSONNode.string(box("data")).text()), "validation_split": 0.25, "preprocessing": "unit", "leak_check": "off" },
              "output": { "directory": \(JSONNode.string(box("runs")).text()), "tensorboard": false },
              "training": { "epochs": 3, "batch_size": 4 } }
            """
        return try RunConfiguration(json: json, source: "a test", overrides: overrides)
    }

    /// Collects the names of events, such as `started` or `saved`; of progress only the first of a row.
    private final class Observer: Sendable {
        private let names = Mutex<[String]>([])

        func observe(_ event: RunEvent) {
            let name = String(describing: event).prefix { $0.isLetter }
            names.withLock { names in if names.last != String(name) { names.append(String(name)) } }
        }

        func runtime(_ observe: (@Sendable (RunEvent) throws -> Void)? = nil) -> Runtime {
            Runtime(
                version: "1", command: ["test"], weights: WeightsLibrary(environment: [:], hdf5: .inChild(executable: "/nowhere")),
                workers: Workers(count: 1), cache: nil, observe: observe ?? self.observe)
        }

        var all: [String] { names.withLock { $0 } }
    }

    private func never(_ configuration: RunConfiguration) -> StopCondition { StopCondition(configuration) { false } }

    @Test func eventsComeInOrder() async throws {
        let (configuration, observer) = (try configuration(), Observer())
        let run = try await TrainingRun(try await TrainingPlan(configuration, in: observer.runtime()), in: observer.runtime())
        #expect(!run.isOver && run.epochsDone == 0)
        guard case .finished(let result) = try await run.run(until: never(configuration)) else {
            Issue.record("the training was stopped")
            return
        }
        #expect(run.isOver && result.epochs == 3 && result.end == .epochs && result.best != nil)
        #expect(result.report == box("runs/train/report.html") && box.exists("runs/train/report.html"))
        let names = observer.all.filter { !["batch", "saved", "detail", "validating"].contains($0) }
        #expect(
            names == ["checking", "checked", "data", "started"] + Array(repeating: ["epoch", "epochSaved"], count: 3).joined()
                + ["evaluating", "ended"])
        let record = try JSONParser.parse(box.bytes("runs/train/run.json"))
        #expect(record["version"]?.stringValue == "1" && record["command"]?.arrayElements?.first?.stringValue == "test")
    }

    /// A training that is asked to stop after every step, and resumed, saves the bytes of an uninterrupted one.
    @Test func aStoppedTrainingIsResumedToTheSameBytes() async throws {
        let whole = try await TrainingRun(try await TrainingPlan(try configuration(), in: Observer().runtime()), in: Observer().runtime())
        _ = try await whole.run(until: never(whole.configuration))
        let expected = try box.bytes("runs/train/weights/last.safetensors")
        try box.remove("runs")

        var steps = 0
        while try await isStoppedAfterOneStep() {
            steps += 1
            try #require(steps < 20)
        }
        #expect(steps >= 2)
        #expect(try box.bytes("runs/train/weights/last.safetensors") == expected)
    }

    /// Starts the training or resumes it. The lock on its folder goes with the run.
    private func isStoppedAfterOneStep() async throws -> Bool {
        let runtime = Observer().runtime()
        let plan =
            box.exists("runs/train")
            ? try await TrainingPlan(resuming: try RunFolder.existing(box("runs/train")), overrides: [], in: runtime)
            : try await TrainingPlan(try configuration(), in: runtime)
        let run = try await TrainingRun(plan, in: runtime)
        guard case .stopped(let reason) = try await run.run(until: oneStep(run.configuration)) else { return false }
        #expect(reason == .requested)
        return true
    }

    /// Is met when it is asked for the second time.
    private func oneStep(_ configuration: RunConfiguration) -> StopCondition {
        let calls = Mutex(0)
        return StopCondition(configuration) {
            calls.withLock { calls in
                calls += 1
                return calls > 1
            }
        }
    }

    @Test func anErrorOfTheObserverEndsTheTraining() async throws {
        struct Refusal: Error {}
        let configuration = try configuration()
        let runtime = Observer().runtime { event in
            if case .epoch = event { throw Refusal() }
        }
        let run = try await TrainingRun(try await TrainingPlan(configuration, in: runtime), in: runtime)
        await #expect(throws: Refusal.self) { try await run.run(until: StopCondition(configuration) { false }) }
        // Nothing was saved, so nothing is left.
        #expect(!box.exists("runs/train"))
    }

    @Test func aDryRunWritesNothing() async throws {
        let run = try await TrainingRun(
            try await TrainingPlan(try configuration(), in: Observer().runtime()), in: Observer().runtime(), isDryRun: true)
        let cost = try await run.measureCost()
        #expect(cost.parameters.total > 0 && cost.memoryBytes > 0 && cost.estimate.epochs == 3)
        #expect(run.folder == nil && !box.exists("runs"))
    }

    @Test func foldsAreTrainedOneAfterTheOther() async throws {
        let (configuration, observer) = (try configuration("training.epochs=1", "output.name=cv"), Observer())
        let folds = try await FoldTraining(configuration, count: 2, in: observer.runtime())
        guard case .finished(let summary) = try await folds.run(until: never(configuration)) else {
            Issue.record("the training was stopped")
            return
        }
        #expect(summary.results.map(\.run) == [box("runs/cv/fold1"), box("runs/cv/fold2")])
        #expect(box.exists("runs/cv/folds.csv") && folds.folder.hasFolds)
        #expect(observer.all.count { $0 == "ended" } == 2 && observer.all.last == "foldsEnded")
    }
}
