import Foundation
import Testing
import VidTestSupport

/// The feature cache as a user sees it: a second run recalls the first one's features, however that ended, and gives the same bytes.
@Suite struct FeatureCacheTests {
    private static let config = """
        { "seed": 3,
          "model": { "input": { "frames": 4, "rows": 32, "columns": 32 },
                     "cnn": { "architecture": { "blocks": [[8, 8], [16]] }, "weights": null, "trainable": false },
                     "recurrent": [ { "type": "lstm", "units": 8 } ], "hidden": [] },
          "data": { "path": "data", "validation_split": 0.25, "preprocessing": "symmetric" },
          "training": { "epochs": 2, "batch_size": 5 } }
        """
    private static let clips = 16
    private static let weights = "weights/last.safetensors"

    /// Clips, a configuration, and the model that a run without a cache ends with, in runs/train.
    private func sandbox() throws -> (box: TestFolder, expected: [UInt8]) {
        let box = try TestFolder(config: Self.config, classes: 2, clips: 8, size: 32)
        let errors = try train(box, "--no-cache")
        #expect(errors.contains("encoded \(Self.clips) clips") && !errors.contains("from the feature cache"))
        #expect(try kept(box) == 0)
        return (box, try box.bytes("runs/train/" + Self.weights))
    }

    /// The standard error of a training.
    @discardableResult
    private func train(_ box: TestFolder, _ arguments: String...) throws -> String {
        let result = try CommandLineTool.run(["train", "--config", "config.json"] + arguments, in: box.path)
        try #require(result.status == 0, "\(result.errors)")
        return result.errors
    }

    /// Clips whose features are in the cache.
    private func kept(_ box: TestFolder) throws -> Int {
        let result = try box.run("cache", "info", "--json")
        let document = try #require(try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any])
        return try #require(document["features"] as? Int)
    }

    @Test func aSecondRunEncodesNothing() throws {
        let (box, expected) = try sandbox()
        #expect(try train(box).contains("encoded \(Self.clips) clips"))
        #expect(try kept(box) == Self.clips)
        #expect(try train(box).contains("took \(Self.clips) clips from the feature cache"))
        for run in ["train2", "train3"] { #expect(try box.bytes("runs/\(run)/" + Self.weights) == expected, "\(run)") }
        // An evaluation uses them, too, with the same results as without.
        let (with, without) = (
            try box.run("eval", "--split", "all", "--json"), try box.run("eval", "--split", "all", "--json", "--no-cache")
        )
        #expect(with.status == 0 && with.output == without.output)
        #expect(try kept(box) == Self.clips)
        #expect(try box.run("cache", "clear").status == 0)
        #expect(try train(box).contains("encoded \(Self.clips) clips"))
    }

    /// If a part of the CNN is trained, the cache keeps the maps before it.
    @Test func frozenLeadingLayersAreRunOnce() throws {
        let (box, _) = try sandbox()
        let setting = ["--set", "model.cnn.trainable=block2_conv1"]
        let first = try CommandLineTool.run(["train", "--config", "config.json", "--no-cache"] + setting, in: box.path)
        #expect(first.status == 0 && first.errors.contains("encoded \(Self.clips) clips"))
        for run in ["train3", "train4"] {
            let result = try CommandLineTool.run(["train", "--config", "config.json"] + setting, in: box.path)
            #expect(result.errors.contains("from the feature cache") == (run == "train4"))
            #expect(try box.bytes("runs/\(run)/" + Self.weights) == box.bytes("runs/train2/" + Self.weights))
        }
    }

    /// A run that is killed while it fills the cache leaves nothing that misleads the next one.
    @Test(arguments: [3, 8, 15, 30])
    func aKilledRunLeavesNoWrongFeatures(_ milliseconds: UInt32) throws {
        let (box, expected) = try sandbox()
        let process = try CommandLineTool.start(["train", "--config", "config.json", "--quiet"], in: box.path)
        usleep(milliseconds * 1000)
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
        // The killed run may or may not have made its folder.
        try FileManager.default.removeItem(atPath: box("runs"))
        try train(box)
        #expect(try box.bytes("runs/train/" + Self.weights) == expected)
        #expect(try kept(box) == Self.clips)
    }

    @Test func twoRunsAtOnceFillOneCache() throws {
        let (box, expected) = try sandbox()
        let processes = try (0..<3).map { _ in try CommandLineTool.start(["train", "--config", "config.json", "--quiet"], in: box.path) }
        for process in processes { process.waitUntilExit() }
        #expect(processes.allSatisfy { $0.terminationReason == .exit && $0.terminationStatus == 0 })
        for run in ["train2", "train3", "train4"] { #expect(try box.bytes("runs/\(run)/" + Self.weights) == expected, "\(run)") }
        #expect(try kept(box) == Self.clips)
    }

    /// A cache that cannot be written costs one note, not the run.
    @Test func aCacheThatCannotBeWrittenIsDoneWithout() throws {
        let (box, expected) = try sandbox()
        try box.write("file", text: "in the way")
        let result = try box.run("train", "--config", "config.json", environment: ["XDG_CACHE_HOME": box.path + "/file"])
        #expect(result.status == 0, "\(result.errors)")
        #expect(result.errors.components(separatedBy: "the feature cache cannot be written").count == 2)
        #expect(try box.bytes("runs/train2/" + Self.weights) == expected)
        let refused = try box.run("train", "--config", "config.json", environment: ["VIDCLASS_CACHE_GIB": "lots"])
        #expect(refused.status == 64 && refused.errors.contains("VIDCLASS_CACHE_GIB"))
    }
}
