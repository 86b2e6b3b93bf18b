import Foundation
import Testing
import VidSystem
import VidTestSupport

/// Clips of vectors over time through all commands: no CNN, named features.
@Suite struct VectorCommandTests {
    private let box: TestFolder

    /// Two classes of eight clips: the second of three features rises or falls, by steps of its own in each clip.
    init() throws {
        box = try TestFolder()
        for (label, slope) in [("falls", Float(-1)), ("rises", 1)] {
            try box.makeFolder("poses/\(label)")
            for number in 0..<8 {
                let values = (0..<6).flatMap { step -> [Float] in
                    [5, slope * Float(step) * (1 + 0.1 * Float(number)) - slope * 2.5, Float((step * 7 + number * 3) % 5)]
                }
                let dictionary = "{'descr': '<f4', 'fortran_order': False, 'shape': (6, 3), }"
                try box.write("poses/\(label)/\(number).npy", FileBytes.npy(dictionary, values.withUnsafeBytes { Array($0) }))
            }
        }
    }

    private static let names = #"data.feature_names=["hip","wrist","noise"]"#

    private func document(_ words: String...) throws -> JSONNode {
        let result = try CommandLineTool.run(words, in: box.path)
        try #require(result.status == 0, "\(result.errors)")
        return try JSONParser.parse(Array(result.output.utf8))
    }

    @Test func trainEvaluatePredictExplain() throws {
        let trained = try box.run("train", "poses", "--set", Self.names, "--set", "training.epochs=12")
        try #require(trained.status == 0, "\(trained.errors)")
        let said = trained.errors.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        #expect(said.contains("model.cnn: null (vectors need no CNN)") && said.contains("model.input: 3 features"), "\(said)")
        let best = "runs/train/weights/best.safetensors"

        let evaluated = try document("eval", "--split", "all", "--data", "poses", "--checkpoint", best, "--no-report", "--json")
        #expect(evaluated["clips"]?.intValue == 16 && evaluated["categorical_accuracy"]?.doubleValue == 1, "\(evaluated.text())")
        let predicted = try document("predict", "poses/rises/0.npy", "--checkpoint", best, "--format", "json")
        #expect(predicted.arrayElements?.first?["predictions"]?.arrayElements?.first?["label"]?.stringValue == "rises")

        let explained = try document("explain", "poses/falls/3.npy", "--checkpoint", best, "--json")
        let element = try #require(explained.arrayElements?.first)
        #expect(element["feature_names"]?.arrayElements?.compactMap(\.stringValue) == ["hip", "wrist", "noise"])
        let frames = element["samples"]?.arrayElements?.first?["frames"]?.arrayElements ?? []
        #expect(frames.count == 6 && frames.allSatisfy { $0["features"]?.arrayElements?.count == 3 }, "\(element.text())")
        let text = try box.run("explain", "poses/falls/3.npy", "--checkpoint", best)
        #expect(text.status == 0, "\(text.errors)")
        let lines = text.output.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }
        let place = try #require(lines.firstIndex(of: "The features that count most, over all frames:"))
        #expect(lines[place + 2].hasPrefix("wrist "), "\(text.output)")
        let page = String(decoding: try box.bytes("runs/train/report.html"), as: UTF8.self)
        #expect(!page.contains("feature 1 (") && page.contains("wrist ("))

        // Without names, numbers; and names that do not fit.
        let unnamed = try box.run("train", "poses", "--set", "training.epochs=1", "--quiet")
        #expect(unnamed.status == 0, "\(unnamed.errors)")
        let numbers = try box.run("explain", "poses/falls/3.npy", "--checkpoint", "runs/train2")
        #expect(numbers.output.contains("over all frames (numbers from 0):") && numbers.output.contains("feature 1 "), "\(numbers.output)")
        let wrong = try box.run("train", "poses", "--set", #"data.feature_names=["hip"]"#)
        #expect(
            wrong.status == 65
                && wrong.errors.contains("data.feature_names: expected 3 names, one for each of model.input.features, found 1"),
            "\(wrong.errors)")
    }

    /// Synthetic vectors can be learned, by their order only.
    @Test func synthesizedVectorsAreLearned() throws {
        let made = try box.run("synth", "walks", "--features", "8", "--clips-per-class", "80", "--classes", "2")
        #expect(made.output == "walks: 160 clips with 8 frames of 8 features, 2 classes: right, left\n", "\(made.errors)")
        let trained = try box.run(
            "train", "walks", "--set", "training.epochs=20", "--set", #"model.recurrent=[{"type":"lstm","units":16}]"#, "--set",
            "model.hidden=[]", "--quiet")
        try #require(trained.status == 0, "\(trained.errors)")
        let evaluated = try document("eval", "--checkpoint", "runs/train/weights/best.safetensors", "--no-report", "--json")
        #expect((evaluated["categorical_accuracy"]?.doubleValue ?? 0) >= 0.9, "\(evaluated.text())")
        let both = try box.run("synth", "other", "--features", "8", "--rows", "8")
        #expect(both.status == 64 && both.errors.contains("Vectors have --features, and no --rows or --columns."), "\(both.errors)")
    }
}
