import Foundation
import Testing
import VidSystem
import VidTestSupport

/// Files that earlier versions wrote (Fixtures; their README says how). Numbers may differ in the last digits: other processors and later
/// versions compute them in another order.
@Suite struct EarlierVersionTests {
    private let box: TestFolder

    init() throws {
        box = try TestFolder()
        let fixture = try #require(Bundle.module.url(forResource: "Fixtures/version-1", withExtension: nil))
        for name in ["config.json", "data", "runs"] {
            try FileManager.default.copyItem(atPath: fixture.path + "/" + name, toPath: box(name))
        }
        for name in ["predictions.csv", "resumed.csv"] {
            try FileManager.default.copyItem(atPath: fixture.path + "/" + name, toPath: box("expected-" + name))
        }
    }

    private func run(_ words: String..., environment: [String: String?] = [:]) throws -> CommandLineTool.Result {
        let result = try CommandLineTool.run(words, in: box.path, environment: environment)
        try #require(result.status == 0, "\(words): \(result.errors)")
        return result
    }

    /// The rows of a table without its head.
    private func rows(_ text: String) -> [[String]] {
        text.split(separator: "\n").dropFirst().map { $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init) }
    }

    private func expected(_ name: String) throws -> [[String]] {
        rows(String(decoding: try box.bytes("expected-" + name), as: UTF8.self))
    }

    private func close(_ found: String, _ expected: String, within tolerance: Double) -> Bool {
        guard let found = Double(found), let expected = Double(expected) else { return false }
        return abs(found - expected) <= tolerance
    }

    @Test func aModelGivesItsScores() throws {
        let found = rows(try run("predict", "data", "--checkpoint", "runs/train", "--format", "csv").output)
        let expected = try expected("predictions.csv")
        #expect(found.count == 24 && found.map(\.[0]) == expected.map(\.[0]) && found.map(\.[1]) == expected.map(\.[1]))
        for (found, expected) in zip(found, expected) {
            #expect(close(found[2], expected[2], within: 1e-5), "\(found), not \(expected)")
        }
    }

    @Test func aModelIsEvaluatedOnItsSplit() throws {
        let text = try run("eval", "--checkpoint", "runs/train", "--json", "--no-report").output
        let document = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
        #expect(document["clips"] as? Int == 6 && document["categorical_accuracy"] as? Double == 0.5)
        let loss = try #require(document["loss"] as? Double)
        #expect(abs(loss - 0.6873179665984553) <= 1e-5)
    }

    @Test func aStateIsResumed() throws {
        _ = try run("train", "--resume", "runs/train", "--set", "training.epochs=14", "--quiet", "--no-cache", "--threads", "1")
        let found = rows(String(decoding: try box.bytes("runs/train/results.csv"), as: UTF8.self))
        let expected = try expected("resumed.csv")
        #expect(found.count == 14)
        for (found, expected) in zip(found, expected) {
            // The losses of training and validation.
            #expect(close(found[2], expected[2], within: 1e-3) && close(found[4], expected[4], within: 1e-3), "\(found), not \(expected)")
        }
    }

    @Test func itsConfigurationAndClipsStillTrain() throws {
        // With the kernels that the run was made with: others round otherwise, and from tiny gradients Nadam makes whole steps.
        let trained = try run(
            "train", "--config", "config.json", "--set", "training.epochs=1", "--set", "output.name=new", "--quiet",
            environment: ["VIDCLASS_KERNELS": "avx2"])
        #expect(trained.errors.contains("warning") == false, "\(trained.errors)")
        let found = rows(String(decoding: try box.bytes("runs/new/results.csv"), as: UTF8.self))
        #expect(close(found[0][4], try expected("resumed.csv")[0][4], within: 1e-3), "\(found)")
    }
}
