import Foundation
import Testing
import VidSystem
import VidTestSupport

/// A training that takes a tenth of a second, with data and config in its own folder, for tests that break it.
struct TinyTraining {
    let box: TestFolder

    /// - Parameters:
    ///   - training: members of the config's `training`.
    ///   - hasData: whether to make `data`, with two classes.
    init(training: String = #""epochs": 3, "batch_size": 4"#, hasData: Bool = true) throws {
        box = try TestFolder()
        try box.write(
            "config.json",
            text: """
                { "seed": 3,
                  "model": { "input": { "frames": 2, "rows": 8, "columns": 8 },
                             "cnn": { "architecture": { "blocks": [[2]] }, "weights": null, "trainable": true },
                             "recurrent": [ { "type": "lstm", "units": 2 } ], "hidden": [] },
                  "data": { "path": "data", "validation_split": 0.25, "preprocessing": "unit", "leak_check": "off" },
                  "output": { "tensorboard": false },
                  "training": { \(training) } }
                """)
        guard hasData else { return }
        try box.synthesize(classes: 2, clips: 4, frames: 2, size: 8)
    }

    static let words = ["train", "--config", "config.json", "--quiet", "--no-cache", "--threads", "1"]
    static let resuming = ["train", "--resume", "runs/train", "--quiet", "--no-cache", "--threads", "1"]

    func run(_ words: [String] = words, through launcher: [String] = []) throws -> CommandLineTool.Result {
        try CommandLineTool.run(words, in: box.path, through: launcher)
    }

    /// Trains to the end and returns the files that depend on the training alone.
    func whole() throws -> [String: [UInt8]] {
        let trained = try run()
        try #require(trained.status == 0, "\(trained.errors)")
        return try box.trained("runs/train")
    }

    /// Resumes and compares the files with those of the whole training.
    func expectTheSame(_ expected: [String: [UInt8]], sourceLocation: SourceLocation = #_sourceLocation) throws {
        let resumed = try run(Self.resuming)
        #expect(resumed.status == 0, "\(resumed.errors)", sourceLocation: sourceLocation)
        let found = try box.trained("runs/train")
        #expect(found.keys.sorted() == expected.keys.sorted(), sourceLocation: sourceLocation)
        for (name, bytes) in expected { #expect(found[name] == bytes, "\(name)", sourceLocation: sourceLocation) }
        #expect(try box.leftovers("runs/train") == [], sourceLocation: sourceLocation)
    }

    /// Waits half a minute and more until `condition` holds.
    func wait(for what: String, _ condition: () throws -> Bool) throws {
        for _ in 0..<30_000 {
            if (try? condition()) == true { return }
            usleep(1000)
        }
        throw Overdue(what: what)
    }

    private struct Overdue: Error { let what: String }
}

extension TestFolder {
    /// The files of a run that depend on the training alone: weights, splits, and the results without their times.
    func trained(_ run: String) throws -> [String: [UInt8]] {
        var found: [String: [UInt8]] = [:]
        for name in try names(run + "/weights")
        where name != "previous.safetensors" {  // which state it holds depends on the clock
            found[name] = try bytes(run + "/weights/" + name)
        }
        found["splits.csv"] = try bytes(run + "/splits.csv")
        let results = String(decoding: try bytes(run + "/results.csv"), as: UTF8.self).split(separator: "\n").map { line in
            line.split(separator: ",", omittingEmptySubsequences: false).enumerated().filter { $0.offset != 1 }.map(\.element)
        }
        found["results.csv"] = Array("\(results)".utf8)
        return found
    }

    /// The temporary files in a run's folder.
    func leftovers(_ run: String) throws -> [String] {
        try FileManager.default.subpathsOfDirectory(atPath: self(run)).filter { $0.hasSuffix(".tmp") }
    }
}
