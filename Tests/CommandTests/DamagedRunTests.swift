import Foundation
import FoundationXML
import Testing
import VidTestSupport

/// Damaged or impossible files of a run: `runs`, `compare` and the report name them, and nothing traps.
@Suite struct DamagedRunTests {
    private static let header = "epoch,time,train/loss,train/categorical_accuracy,val/loss,val/categorical_accuracy,lr\n"

    /// Contents of results.csv, each with whether it is damaged.
    private static let results: [(text: String, isDamaged: Bool)] = [
        ("", true), ("\u{0}", true), ("epoch\n1\n", true), (header + "1", true), (header + "1,2", true),
        (header + "1,1,1,1,1,1,1,1\n", true),
        (header + "x,1,1,1,1,1,1\n", true), (header + "0,1,1,1,1,1,1\n", true), (header + "-1,1,1,1,1,1,1\n", true),
        (header + "1,one,1,1,1,1,1\n", true), (header + "9223372036854775807,1,1,1,1,1,1\n", true),
        (header + "99999999999999999999,1,1,1,1,1,1\n", true), (header + "1,1,1,1,1,1,\"1\n", true),
        (header + "1,1,1,1,\u{1B}[2J,1,1\n", true),
        (header + "1,1,nan,1,1,1,1\n", true), (header + "1,0x1p3,1,1,1,1,1\n", true),
        (header, false), (header + "1,1,1e308,-1e308,0,1e308,-1e308\n2,1e308,1e308,-1e308,-0.0,1,5e-324\n", false),
        (header + "1000000000,1e300,1,1,1,1,1\n1,-1e300,1e15,1,1e-300,0,0\n", false), (header + "1,,,,,,\n2,,,,,,\n", false),
        (header + "5,1,1,1,1,1,1\n5,1,1,1,1,1,1\n1,1,1,1,1,1,1\n", false),
    ]

    private static let records = [
        "", "[]", "{", #"{"state": 3}"#, #"{"state": "running", "best_epoch": -1}"#,
        #"{"state": "finished", "seconds": 1e308, "epochs": 9223372036854775807, "best_epoch": 9223372036854775807, "best_value": 1e308, "peak_memory_bytes": 9223372036854775807, "clips": {"train": 9223372036854775807, "val": 9223372036854775807, "test": -9223372036854775808}}"#,
        #"{"state": "finished", "seconds": -1e308, "epochs": -9223372036854775808, "best_epoch": -9223372036854775808, "monitor": "\u001b[2J", "started": "\u001b", "command": ["\u001b[2J"], "clips": {"a": 1.5}}"#,
        #"{"state": "finished", "seconds": 99999999999999999999999, "clips": [], "frozen_weights": [1, {}]}"#,
    ]

    private func expectNoTrap(_ result: CommandLineTool.Result, _ what: String, sourceLocation: SourceLocation = #_sourceLocation) {
        #expect(result.status == 0, "\(what): \(result.status) \(result.errors)", sourceLocation: sourceLocation)
        #expect(!result.output.contains("\u{1B}") && !result.errors.contains("\u{1B}"), sourceLocation: sourceLocation)
    }

    @Test func resultsAreNamedInEveryCommandThatReadsThem() throws {
        let tiny = try TinyTraining()
        _ = try tiny.whole()
        let box = tiny.box
        try FileManager.default.copyItem(atPath: box("runs/train"), toPath: box("runs/other"))
        for (text, isDamaged) in Self.results {
            try box.write("runs/train/results.csv", text: text)
            let runs = try box.run("runs")
            expectNoTrap(runs, "runs of \(text.debugDescription)")
            #expect(runs.output.contains("results.csv: ") == isDamaged, "\(text.debugDescription): \(runs.output)")
            let compared = try box.run("compare", "train", "other", "--output", "curves.svg")
            expectNoTrap(compared, "compare of \(text.debugDescription)")
            #expect(compared.errors.contains("note: train: results.csv: ") == isDamaged, "\(text.debugDescription): \(compared.errors)")
            let evaluated = try box.run("eval", "--checkpoint", "runs/train/weights/best.safetensors", "--no-cache")
            expectNoTrap(evaluated, "eval of \(text.debugDescription)")
            #expect(
                evaluated.errors.contains("note: runs/train/results.csv: ") == isDamaged, "\(text.debugDescription): \(evaluated.errors)")
            if !isDamaged {
                expectNoTrap(try box.run("runs", "--json"), "runs --json of \(text.debugDescription)")
                expectNoTrap(try box.run("compare", "train", "other", "--json"), "compare --json of \(text.debugDescription)")
            }
            for file in ["curves.svg", "runs/train/results.svg"] {
                #expect(XMLParser(data: Data(try box.bytes(file))).parse(), "\(file) of \(text.debugDescription)")
            }
        }
    }

    @Test func recordsAreReadWithCare() throws {
        let tiny = try TinyTraining()
        _ = try tiny.whole()
        let box = tiny.box
        try FileManager.default.copyItem(atPath: box("runs/train"), toPath: box("runs/other"))
        // Files that claim more bytes than an integer can count, if the file system allows them.
        for name in ["one", "two"] {
            let path = try box.write("runs/train/\(name)")
            truncate(path, off_t(Int64.max))
        }
        for text in Self.records {
            try box.write("runs/train/run.json", text: text)
            expectNoTrap(try box.run("runs"), "runs of \(text)")
            expectNoTrap(try box.run("runs", "--json"), "runs --json of \(text)")
            expectNoTrap(try box.run("compare", "train", "other"), "compare of \(text)")
            expectNoTrap(try box.run("eval", "--checkpoint", "runs/train/weights/best.safetensors", "--no-cache"), "eval of \(text)")
            expectNoTrap(try tiny.run(TinyTraining.resuming), "train --resume of \(text)")
        }
    }

    /// Predictions with far more classes than clips: the confusion matrix would have 10^10 cells.
    @Test func predictionsOfTooManyClassesAreRefused() throws {
        let tiny = try TinyTraining()
        _ = try tiny.whole()
        let box = tiny.box
        try FileManager.default.copyItem(atPath: box("runs/train"), toPath: box("runs/other"))
        let classes = (0..<100_000).map { "score/\($0)" }.joined(separator: ",")
        let scores = [String](repeating: "0", count: 100_000).joined(separator: ",")
        try box.write("runs/train/predictions.csv", text: "clip,label,prediction,confidence,\(classes)\na,0,0,1,\(scores)\n")
        let compared = try box.run("compare", "train", "other")
        expectNoTrap(compared, "compare")
        #expect(compared.output.contains("predictions.csv"), "\(compared.output)")
    }

    // MARK: - Folders from somebody else

    /// `runs` names each folder's fault and continues; its output is valid.
    @Test func folderOfRuns() throws {
        let box = try TestFolder()
        let header = "epoch,time,train/loss,train/categorical_accuracy,val/loss,val/categorical_accuracy,lr\n"
        let files: [(String, [(String, String)], String?)] = [
            ("clips", [("run.json", #"{"clips":{"train":9223372036854775807,"val":9223372036854775807}}"#)], nil),
            ("seconds", [("run.json", #"{"seconds":-1e300,"best_value":1e308,"best_epoch":9223372036854775807}"#)], nil),
            ("deep", [("run.json", String(repeating: "[", count: 100_000))], "nested deeper"),
            ("array", [("run.json", "[1]")], "expected an object"), ("twice", [("run.json", #"{"a":1,"a":2}"#)], "appears twice"),
            ("infinite", [("results.csv", header + "1,1,inf,1,1,1,1\n")], "expected a number, found inf"),
            ("hex", [("results.csv", header + "1,0x10,1,1,1,1,1\n")], "expected a number, found 0x10"),
            ("large", [("results.csv", header + "1,1,1e400,1,1,1,1\n")], "expected a number, found 1e400"),
            ("epoch", [("results.csv", header + "99999999999999999999,1,1,1,1,1,1\n")], "expected the number of an epoch"),
            ("plus", [("results.csv", header + "+1,1,1,1,1,1,1\n")], "expected the number of an epoch"),
            ("short", [("results.csv", header + "1,1,1\n")], "expected 7 fields"),
            ("model", [("weights/best.safetensors", "\u{1}")], "too few"),
            ("folds", [("folds.json", #"{"folds":-9223372036854775808}"#)], nil),
            ("many", [("folds.json", #"{"folds":9223372036854775807}"#)], nil),
        ]
        for (name, contents, _) in files {
            for (file, text) in contents { try box.write("hostile/\(name)/\(file)", text: text) }
            if !contents.contains(where: { $0.0 == "config.json" }) { try box.write("hostile/\(name)/config.json", text: "{}") }
        }
        // A folder of folds that is its own fold, a thousand times over.
        for fold in 1...20 { try FileManager.default.createSymbolicLink(atPath: box("hostile/many/fold\(fold)"), withDestinationPath: ".") }
        try #require(mkfifo(box("hostile/clips/results.csv"), 0o666) == 0)
        let start = ContinuousClock.now
        let result = try box.run("runs", "hostile", "--json")
        #expect(result.status == 0 && result.errors.isEmpty, "\(result.status) \(result.errors)")
        let runs = try #require(try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [[String: Any]])
        #expect(runs.count == files.count)
        for (name, _, reason) in files {
            let run = try #require(runs.first { ($0["run"] as? String)?.hasSuffix("/" + name) == true })
            let faults = try #require(run["faults"] as? [String])
            if let reason { #expect(faults.contains { $0.contains(reason) }, "\(name): \(faults)") }
        }
        #expect(try box.run("runs", "hostile").status == 0)
        #expect(ContinuousClock.now - start < .seconds(10))
    }

    /// The files that `eval` and the report read from a run's folder may hold anything.
    @Test func reportOfARunWithHostileNotes() throws {
        let box = try TestFolder()
        try FileManager.default.createDirectory(atPath: box("runs"), withIntermediateDirectories: true)
        try FileManager.default.copyItem(atPath: TrainedModel.folder()("runs/train"), toPath: box("runs/train"))
        try FileManager.default.createSymbolicLink(atPath: box("data"), withDestinationPath: TrainedModel.folder()("data"))
        try box.write(
            "runs/train/data.json",
            text: #"{"data":"x","classes":["a","b"],"parts":{"train":[9223372036854775807,1],"val":[-9223372036854775808,-1]},"#
                + #""same_pairs_count":-9223372036854775808,"skipped_count":9223372036854775807}"#)
        try box.write(
            "runs/train/run.json",
            text: #"{"seconds":-1e300,"peak_memory_bytes":-9223372036854775808,"best_epoch":-9223372036854775808,"best_value":1e308,"#
                + #""clips":{"train":9223372036854775807},"started":"\u001b[31m","frozen_weights":[{"stage":1}]}"#)
        try box.write(
            "runs/train/results.csv",
            text: "epoch,time,train/loss,train/categorical_accuracy,val/loss,val/categorical_accuracy,lr\n"
                + "1,-1e300,1e308,-1e308,1e-320,1e300,5e-324\n1000000000,1e300,-1e308,1e308,1e300,-1e300,1e300\n")
        let result = try box.run("eval", "--checkpoint", "runs/train/weights/best.safetensors")
        #expect(result.status == 0, "\(result.status) \(result.errors)")
        #expect(box.exists("runs/train/report.html"))
        #expect(!result.output.contains("\u{1B}[31m"))
        try box.write("runs/train/predictions.csv", text: "clip,label,prediction,confidence,score/a,score/a\nx,a,a,1,1,0\n")
        try FileManager.default.copyItem(atPath: box("runs/train"), toPath: box("runs/other"))
        let compared = try box.run("compare", "runs/train", "runs/other", "--json")
        #expect(compared.status == 0, "\(compared.status) \(compared.errors)")
        #expect(throws: Never.self) { try JSONSerialization.jsonObject(with: Data(compared.output.utf8)) }
    }
}
