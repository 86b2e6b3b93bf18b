import Foundation
import Testing
import VidClassKit
import VidTestSupport

struct TrainingTests {
    @Test func eventsTellATraining() async throws {
        let training = try KitTraining()
        var epochs: [Epoch] = []
        var activities: Set<TrainingProgress.Activity> = []
        var (started, finished) = (0, nil as TrainingResult?)
        for try await event in Training(training.configuration, threads: 1, usesCache: false).events() {
            #expect(finished == nil, "nothing follows the end")
            switch event {
            case .started(let run, let classes, let planned, let done):
                #expect(run == training.box("runs/train") && classes == ["bright", "dark"] && planned == 3 && done == 0)
                started += 1
            case .progress(let progress):
                activities.insert(progress.activity)
                #expect((0...progress.total).contains(progress.done))
            case .epoch(let epoch):
                epochs.append(epoch)
                // It is saved before it is told.
                #expect(training.box.exists("runs/train/weights/last.safetensors"))
            case .finished(let result): finished = result
            default: break
            }
        }
        #expect(started == 1)
        #expect(epochs.map(\.number) == [1, 2, 3])
        #expect(epochs.allSatisfy { $0.loss.isFinite && $0.validationLoss?.isFinite == true && $0.planned == 3 })
        #expect(activities.isSuperset(of: [.checking, .training, .evaluating]))
        let result = try #require(finished)
        #expect(result.reason == .epochs && result.epochs == 3)
        #expect(result.checkpoint == training.box("runs/train/weights/best.safetensors"))
        #expect(result.report == training.box("runs/train/report.html"))
        #expect(epochs.last { $0.isBest }?.number == result.bestEpoch)
    }

    @Test func aStoppedTrainingResumesToTheSameBytes() async throws {
        let parts = try KitTraining(epochs: 100_000)
        let training = Training(parts.configuration, threads: 2, usesCache: false)
        var (stopped, last) = (nil as String?, 0)
        for try await event in training.events() {
            switch event {
            case .epoch(let epoch):
                last = epoch.number
                training.stop()
            case .stopped(let run): stopped = run
            case .finished: Issue.record("it was not stopped")
            default: break
            }
        }
        let run = try #require(stopped)
        var done: Int?
        let resumed = Training(resuming: run, settings: ["training.epochs=\(last + 2)"], threads: 1, usesCache: false)
        for try await event in resumed.events() {
            if case .started(_, _, _, let epochsDone) = event { done = epochsDone }
        }
        #expect(done == last)
        let whole = try KitTraining(epochs: last + 2)
        _ = try await whole.result()
        let name = "runs/train/weights/best.safetensors"
        // The clips' folder is part of a checkpoint's configuration.
        #expect(try tensors(parts.box.bytes(name)) == tensors(whole.box.bytes(name)))
    }

    /// The tensors of a safetensors file, without its header.
    private func tensors(_ file: [UInt8]) -> [UInt8] {
        let header = file.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
        return Array(file.dropFirst(8 + header))
    }

    @Test func leavingTheLoopStopsTheTraining() async throws {
        let training = try KitTraining(epochs: 100_000)
        for try await event in Training(training.configuration, threads: 1, usesCache: false).events() {
            if case .epoch = event { break }
        }
        // Its record says when it has stopped.
        for _ in 0..<600 {
            let record = (try? training.box.bytes("runs/train/run.json")).map { String(decoding: $0, as: UTF8.self) } ?? ""
            if record.contains("\"interrupted\"") { return }
            try await Task.sleep(for: .milliseconds(100))
        }
        Issue.record("it goes on")
    }

    @Test func aStopBeforeTheFirstStepIsACancellation() async throws {
        let training = try KitTraining()
        let stopped = Training(training.configuration, threads: 1, usesCache: false)
        stopped.stop()
        await #expect(throws: CancellationError.self) { for try await _ in stopped.events() {} }
        #expect(!training.box.exists("runs"))
    }

    @Test func faultsAreErrors() async throws {
        let training = try KitTraining()
        let missing = try training.configuration.setting("data.path", to: training.box("none"))
        #expect(await error { for try await _ in Training(missing).events() {} }?.code == .missingInput)
        #expect(await error { for try await _ in Training(training.configuration, threads: 0).events() {} }?.code == .usage)
        #expect(await error { for try await _ in Training(resuming: training.box("none")).events() {} }?.code == .missingInput)
        let twice = Training(training.configuration, threads: 1, usesCache: false)
        for try await _ in twice.events() {}
        #expect(await error { for try await _ in twice.events() {} }?.code == .usage)
        // More memory than there is.
        let huge = try training.configuration.setting("model.recurrent.0.units", to: 65_536)
        #expect(await error { for try await _ in Training(huge, threads: 1, usesCache: false).events() {} }?.code == .badData)
    }

    @Test func aDataSetShowsTheClipsOfATraining() async throws {
        let training = try KitTraining()
        let set = try DataSet(training.configuration)
        #expect(set.classes == ["bright", "dark"])
        #expect(set.clips.count == 16 && set.clips(in: .validation).count == 4 && set.clips(in: .test).isEmpty)
        #expect(Set(set.clips(in: .training).map(\.label)) == ["bright", "dark"])
        #expect(try DataSet(training.box("data"), validation: 0).clips(in: .training).count == 16)
        #expect(await error { _ = try DataSet(training.box("none")) }?.code == .missingInput)
        #expect(await error { _ = try DataSet(training.box("data"), validation: 2) } != nil)
    }
}
