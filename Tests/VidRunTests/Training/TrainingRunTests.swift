import Foundation
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

        func runtime(cache: FeatureFolder? = nil, _ observe: (@Sendable (RunEvent) throws -> Void)? = nil) -> Runtime {
            Runtime(
                version: "1", command: ["test"], weights: WeightsLibrary(environment: [:], hdf5: .inReader()),
                workers: Workers(count: 1), cache: cache, observe: observe ?? self.observe)
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

    /// A clip that was replaced after it was scored is not drawn beside its old scores.
    @Test func aReplacedClipIsNotDrawn() async throws {
        let configuration = try configuration("model.cnn.trainable=false", "training.epochs=30", "optimizer.learning_rate=0.05")
        let (data, other) = (box("data"), box("other"))
        try await SyntheticClips(classes: 2, frames: 2, rows: 8, columns: 8, seed: 2).write(to: other, clipsPerClass: 4) { _, _ in }
        let runtime = Observer().runtime { event in
            guard case .evaluating = event, FileManager.default.fileExists(atPath: other) else { return }
            try FileManager.default.removeItem(atPath: data)
            try FileManager.default.moveItem(atPath: other, toPath: data)
        }
        _ = try await TrainingRun(try await TrainingPlan(configuration, in: runtime), in: runtime).run(until: never(configuration))
        let page = String(decoding: try box.bytes("runs/train/report.html"), as: UTF8.self)
        #expect(page.contains("the clip has changed since it was evaluated") && !page.contains("data:image/png"))
    }

    /// The check of a first training decodes the frames that the frozen CNN takes. With them, the training saves the same bytes.
    @Test(.enabled(if: FFmpegProgram.isInstalled, "ffmpeg is not installed: videos are not tested"))
    func aFrozenCNNTakesTheClipsOfTheCheck() async throws {
        try await writeVideos()
        let configuration = try self.configuration("model.cnn.trainable=false", "evaluation.clips=2", "data.test_split=0.25")
        let plan = try await TrainingPlan(configuration, in: Observer().runtime())
        let clips = try #require(plan.clips)
        #expect(clips.count == 4 + 2 * (2 + 2))
        _ = try await TrainingRun(plan, in: Observer().runtime()).run(until: never(configuration))
        // Those of the test split stay for the report: two views of two clips.
        #expect(clips.taken >= 12 && clips.count == 4)
        let saved = try box.bytes("runs/train/weights/last.safetensors")
        try box.remove("runs")

        let other = try await TrainingPlan(configuration, in: Observer().runtime())
        other.clips?.shrink(to: 0)
        _ = try await TrainingRun(other, in: Observer().runtime()).run(until: never(configuration))
        #expect(other.clips?.taken == 0)
        #expect(try box.bytes("runs/train/weights/last.safetensors") == saved)
        // Samples that are different each time, and a CNN without frozen layers.
        for key in ["data.sampling.type=\"random\"", "model.cnn.trainable=true"] {
            #expect(try await TrainingPlan(try self.configuration("model.cnn.trainable=false", key), in: Observer().runtime()).clips == nil)
        }
    }

    /// A training whose configuration is chosen decodes each video once, too: the check keeps the frames for which the heads of the files
    /// speak, and the measurement of its time takes none away.
    @Test(.enabled(if: FFmpegProgram.isInstalled, "ffmpeg is not installed: videos are not tested"))
    func aChosenTrainingTakesTheClipsOfItsOneCheck() async throws {
        try await writeVideos()
        let observer = Observer()
        let settings = [
            #"model.cnn.architecture={"blocks":[[2]]}"#, "model.cnn.trainable=false", "model.cnn.pooling=average", "training.epochs=2",
            "output.directory=\(JSONNode.string(box("runs")).text())", "output.tensorboard=false", "data.leak_check=off",
        ]
        let chosen = try await ChosenTraining(for: box("data"), overrides: settings, startsFromScratch: false, in: observer.runtime())
        #expect(chosen.configuration.model.input.frames == 6 && chosen.configuration.model.input.rows == 32)
        #expect(chosen.configuration.training.epochs == 2)
        let clips = try #require(chosen.plan.clips)
        #expect(clips.count == 8)
        let cost = try await TrainingRun.cost(chosen.plan, in: observer.runtime())
        #expect(cost.estimate.encodings == 8 && cost.estimate.seconds > 0)
        #expect(clips.count == 8 && clips.taken == 0 && !box.exists("runs"))
        _ = try await TrainingRun(chosen.plan, in: observer.runtime()).run(until: never(chosen.configuration))
        #expect(clips.taken >= 8)
        #expect(
            observer.all.filter { ["checking", "checked", "data", "chosen"].contains($0) } == ["checking", "checked", "data", "chosen"])
        let saved = try box.bytes("runs/train/weights/last.safetensors")
        try box.remove("runs")
        let plain = try await TrainingPlan(chosen.configuration, in: Observer().runtime())
        _ = try await TrainingRun(plain, in: Observer().runtime()).run(until: never(chosen.configuration))
        #expect(try box.bytes("runs/train/weights/last.safetensors") == saved)
    }

    /// Eight videos of two classes.
    private func writeVideos() async throws {
        try box.remove("data")
        for (index, name) in ["a", "b"].enumerated() {
            for number in 0..<4 {
                let frames = (0..<6).map { frame in
                    (0..<16 * 16 * 3).map { UInt8(truncatingIfNeeded: $0 * (number + 2) + frame * 9 + index * 60) }
                }
                try box.makeFolder("data/\(name)")
                try await AnimationWriter().write(frames, rows: 16, columns: 16, framesPerSecond: 5, to: box("data/\(name)/\(number).mp4"))
            }
        }
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

    /// A cache that knows one of the clips as damaged.
    private func cacheOfDamage() async throws -> (cache: FeatureFolder, clip: String) {
        let cache = FeatureFolder(box("cache"), bound: CacheBound(gibibytes: 1), opened: .max) { _ in }
        let data = try DataSet.open(box("data"), split: .none)
        let report = try await DataCheck().run(data)
        let checked = try #require(report.clips.first)
        var facts = try #require(checked.facts)
        facts.damage = VideoDamage(decodingErrors: 3)
        cache.remember(facts, of: checked.entry.path, variant: "range")
        return (cache, checked.entry.id)
    }

    /// `data.damaged` decides whether a damaged clip is used, left out, or ends the training, whatever happens to bad clips.
    @Test func damagedClips() async throws {
        let (cache, clip) = try await cacheOfDamage()
        let runtime = Observer().runtime(cache: cache)
        for (word, skipped) in [("use", nil), ("skip", "\(clip),is damaged: 3 decoding errors\n")] {
            let configuration = try configuration("data.damaged=\(word)", "output.name=\(word)", "training.epochs=1")
            let run = try await TrainingRun(try await TrainingPlan(configuration, in: runtime), in: runtime)
            _ = try await run.run(until: never(configuration))
            let list = try? box.bytes("runs/\(word)/skipped.csv")
            #expect(list.map { String(decoding: $0, as: UTF8.self) } == skipped.map { "path,reason\n" + $0 })
            let clips = try String(decoding: box.bytes("runs/\(word)/splits.csv"), as: UTF8.self)
            #expect(clips.contains(clip) == (skipped == nil))
        }
        let error = await #expect(throws: VidclassError.self) {
            _ = try await TrainingPlan(try configuration("data.damaged=refuse", "data.skip_bad_clips=true"), in: runtime)
        }
        #expect(error?.kind == .badData && error?.message.contains("1 damaged clip of 8") == true, "\(error?.message ?? "")")
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
