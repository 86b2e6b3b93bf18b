import Foundation
import Testing
import VidClassKit
import VidTestSupport

struct PredictorTests {
    @Test func arraysAndFilesHaveTheSameScores() async throws {
        let training = try KitTraining(epochs: 10)
        let checkpoint = try Checkpoint(try await training.result().run)
        #expect(checkpoint.classes == ["bright", "dark"])
        #expect(checkpoint.input == InputShape(frames: 2, rows: 8, columns: 8))
        #expect(try Checkpoint.newest(in: training.box("runs")).checksum == checkpoint.checksum)
        let predictor = try Predictor(checkpoint, threads: 2)
        for (label, level) in [("bright", 200), ("dark", 40)] {
            let frames = try KitTraining.frames(level, 99)
            let prediction = try predictor.predict(frames)
            #expect(prediction.label == label)
            let sum = prediction.scores.reduce(0, +)
            #expect(abs(sum - 1) <= 1e-6)
            #expect(prediction.ranked.map(\.score) == prediction.scores.sorted(by: >))
            try frames.write(to: training.box("clip.bin"))
            let ofFile = try await predictor.predict(file: training.box("clip.bin"))
            #expect(ofFile.scores == prediction.scores)
            #expect(ofFile.remark == nil)
        }
    }

    @Test func tasksShareAPredictor() async throws {
        let training = try KitTraining()
        let checkpoint = try Checkpoint(try await training.result().checkpoint)
        let single = try Predictor(checkpoint, threads: 1)
        let expected = try (0..<8).map { try single.predict(KitTraining.frames(100, $0)).scores }
        let predictors = [single, try Predictor(checkpoint, threads: 3)]
        try await withThrowingTaskGroup(of: (Int, [Float]).self) { group in
            for turn in 0..<200 {
                group.addTask { (turn % 8, try predictors[turn % 2].predict(KitTraining.frames(100, turn % 8)).scores) }
            }
            for try await (number, scores) in group { #expect(scores == expected[number]) }
        }
    }

    @Test func framesMustFit() async throws {
        let training = try KitTraining(epochs: 1)
        let predictor = try Predictor(Checkpoint(try await training.result().checkpoint), threads: 1)
        let small = try Frames([UInt8](repeating: 9, count: 2 * 3 * 4 * 4), shape: InputShape(frames: 2, rows: 4, columns: 4))
        let error = await error { _ = try predictor.predict(small) }
        #expect(error?.code == .badData)
        #expect(error?.message.contains("like (2, 3, 8, 8) with any number of frames, found (2, 3, 4, 4)") == true)
        // Any number of frames.
        for count in [1, 5] {
            let shape = InputShape(frames: count, rows: 8, columns: 8)
            #expect(try predictor.predict(Frames([UInt8](repeating: 9, count: count * 192), shape: shape)).scores.count == 2)
        }
        // Values from 0 to 1 where the model expects 0 to 255.
        let dim = try Frames([Float](repeating: 0.5, count: 384), shape: InputShape(frames: 2, rows: 8, columns: 8))
        #expect(try predictor.predict(dim).remark?.contains("0 to 255") == true)
    }

    @Test func faultsAreErrors() async throws {
        let box = try TestFolder()
        try box.write("model.safetensors", text: "nothing")
        #expect(await error { _ = try Checkpoint(box("model.safetensors")) }?.code == .badData)
        #expect(await error { _ = try Checkpoint(box("none")) }?.code == .missingInput)
        #expect(await error { _ = try Checkpoint.newest(in: box.path) }?.code == .missingInput)
        let training = try KitTraining(epochs: 1)
        let checkpoint = try Checkpoint(try await training.result().checkpoint)
        #expect(await error { _ = try Predictor(checkpoint, threads: 5000) }?.code == .usage)
        let predictor = try Predictor(checkpoint, threads: 1)
        #expect(await error { _ = try await predictor.predict(file: box("none.bin")) }?.code == .missingInput)
        // A checkpoint that was replaced since it was opened.
        try Data(training.box.bytes("runs/train/weights/last.safetensors")).write(to: URL(filePath: checkpoint.path))
        #expect(await error { _ = try Predictor(checkpoint, threads: 1) }?.code == .badData)
    }

    @Test func anEvaluationCountsTheHeldOutClips() async throws {
        let training = try KitTraining(epochs: 10)
        let checkpoint = try Checkpoint(try await training.result().checkpoint)
        let evaluation = try await checkpoint.evaluate(threads: 1, usesCache: false)
        #expect(evaluation.clips.count == 4 && evaluation.classes == checkpoint.classes)
        #expect(evaluation.reportFolder == nil)
        let right = evaluation.clips.count { $0.label == $0.decision }
        #expect(evaluation.accuracy == Double(right) / 4)
        let counted = evaluation.confusion.joined().reduce(0, +)
        #expect(counted == 4)
        #expect(evaluation.perClass.map(\.support) == [2, 2])
        let all = try await checkpoint.evaluate(
            onDataAt: training.box("data"), split: .training, report: training.box("report"), threads: 1, usesCache: false)
        #expect(all.clips.count == 12)
        #expect(training.box.exists("report/report.html"))
        #expect(await error { _ = try await checkpoint.evaluate(onDataAt: training.box("none")) }?.code == .missingInput)
    }
}
