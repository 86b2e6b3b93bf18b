import Foundation
import FoundationXML
import Testing
import VidConfig
import VidReport
import VidSystem
import VidTestSupport

/// `vidclass runs` and `vidclass compare` on hand-written folders; neither needs a model.
@Suite struct RunsCommandTests {
    private let box: TestFolder

    init() throws { box = try TestFolder() }

    private func write(_ run: String, state: String = "finished", seed: Int = 1, epochs: Int = 2, predictions: String? = nil) throws {
        try box.write("runs/\(run)/config.json", text: #"{"seed": \#(seed), "data": {"path": "videos"}, "training": {"epochs": 2}}"#)
        try box.write(
            "runs/\(run)/run.json",
            text: """
                {"state": "\(state)", "seconds": 65.5, "epochs": \(epochs), "monitor": "val_categorical_accuracy", "best_epoch": \(epochs),
                 "best_value": 0.75, "started": "2026-11-24T07:27:47Z", "clips": {"train": 30, "val": 10, "test": 0}}
                """)
        let lines = (1...epochs).map { "\($0),\(Double($0)),1.5,0.5,1.25,0.\($0 + 5),0.002\n" }.joined()
        try box.write(
            "runs/\(run)/results.csv",
            text: "epoch,time,train/loss,train/categorical_accuracy,val/loss,val/categorical_accuracy,lr\n" + lines)
        if let predictions { try box.write("runs/\(run)/predictions.csv", text: predictions) }
    }

    /// Predictions of numbered clips, which are right where the pattern has a 1.
    private func predictions(_ pattern: String, from first: Int = 0) -> String {
        "clip,label,prediction,confidence,score/a,score/b\n"
            + pattern.enumerated().map { "c\($0 + first).bin,a,\($1 == "1" ? "a" : "b"),0.75,\($1 == "1" ? "0.75,0.25" : "0.25,0.75")\n" }
            .joined()
    }

    private func json(_ result: CommandLineTool.Result) throws -> JSONNode { try JSONParser.parse(Array(result.output.utf8)) }

    // MARK: - runs

    @Test func nothingThereSaysWhatToDo() throws {
        for arguments in [["runs"], ["runs", "empty"]] {
            try box.makeFolder("empty")
            let result = try CommandLineTool.run(arguments, in: box.path)
            #expect(result.status == 0)
            #expect(result.output.isEmpty)
            #expect(result.errors.contains("vidclass init"))
        }
        #expect(try box.run("runs", "--json").output == "[]\n")
        #expect(try box.run("runs", "nowhere").status == 66)
    }

    @Test func statesAndFigures() throws {
        try write("done")
        try write("gone", state: "running", epochs: 1)
        try write("held", state: "running", epochs: 1)
        try write("paused", state: "interrupted", epochs: 1)
        try box.write("runs/gone/.lock")
        let lock = open(try box.write("runs/held/.lock"), O_RDWR)
        defer { close(lock) }
        #expect(flock(lock, LOCK_EX) == 0)
        try box.makeFolder("runs/other")
        let result = try box.run("runs", "--json")
        #expect(result.status == 0, "\(result.errors)")
        let entries = try #require(try json(result).arrayElements)
        let states = Dictionary(uniqueKeysWithValues: entries.map { ($0["run"]?.stringValue ?? "", $0["state"]?.stringValue ?? "") })
        #expect(states == ["runs/done": "finished", "runs/gone": "crashed", "runs/held": "running", "runs/paused": "interrupted"])
        let done = try #require(entries.first { $0["run"]?.stringValue == "runs/done" })
        #expect(done["best_value"]?.doubleValue == 0.75)
        #expect(done["epochs"]?.intValue == 2 && done["epochs_planned"]?.intValue == 2)
        #expect(done["clips"]?.intValue == 40)
        let size = try box.names("runs/done").reduce(0) { $0 + (try box.bytes("runs/done/\($1)").count) }
        #expect(done["bytes"]?.intValue == size)
        let text = try box.run("runs").output
        #expect(text.contains("val acc 0.7500 at 2"))
    }

    @Test func newestFirst() throws {
        for (age, name) in ["oldest", "middle", "newest"].enumerated() {
            try write(name)
            for file in try box.names("runs/\(name)") {
                try FileManager.default.setAttributes(
                    [.modificationDate: Date(timeIntervalSince1970: 1e9 + Double(age))], ofItemAtPath: box("runs/\(name)/\(file)"))
            }
        }
        let entries = try #require(try json(box.run("runs", "--json")).arrayElements)
        #expect(entries.compactMap { $0["run"]?.stringValue } == ["runs/newest", "runs/middle", "runs/oldest"])
    }

    @Test func damagedFoldersAreListedWithWhatIsWrong() throws {
        try write("good")
        try write("torn")
        try box.write("runs/torn/config.json", text: "{\"seed\": ")
        try box.write("runs/torn/run.json", text: "[]")
        try box.write("runs/torn/results.csv", text: "epoch\n1\n")
        try box.write("runs/torn/weights/best.safetensors", text: "no")
        try box.write("runs/bare/weights/last.safetensors", text: "")
        let result = try box.run("runs")
        #expect(result.status == 0, "\(result.errors)")
        for word in [
            "good", "torn", "bare", "config.json", "run.json", "results.csv", "weights/best.safetensors", "config.json is missing",
        ] {
            #expect(result.output.contains(word), "\(word) in \(result.output)")
        }
    }

    @Test func foldsAreOneLine() throws {
        try box.write("runs/cv/config.json", text: #"{"training": {"epochs": 2}}"#)
        try box.write("runs/cv/folds.json", text: #"{"folds": 3}"#)
        try write("cv/fold1")
        try write("cv/fold2", state: "interrupted", epochs: 1)
        let entries = try #require(try json(box.run("runs", "--json")).arrayElements)
        #expect(entries.count == 1)
        #expect(entries[0]["folds"]?.intValue == 3 && entries[0]["folds_finished"]?.intValue == 1)
        #expect(entries[0]["state"]?.stringValue == "interrupted")
        #expect(try box.run("runs").output.contains("1/3 folds"))
    }

    // MARK: - compare

    @Test func withinNoiseAndNot() throws {
        try write("one", predictions: predictions("111111111111000000000000"))
        try write("two", seed: 2, predictions: predictions("111111111110100000000000"))
        try write("three", predictions: predictions("111111111111111111111111"))
        let result = try box.run("compare", "one", "runs/two", "three")
        #expect(result.status == 0, "\(result.errors)")
        let text = result.output.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        #expect(text.contains("one and two: within noise: of 24 clips, 1 only one got right, 1 only two; p = 1.00"), "\(result.output)")
        // 2 / 2^12 for three pairs.
        #expect(text.contains("three is better than one: of 24 clips, 0 only one got right, 12 only three; p = 0.0015"), "\(result.output)")
        #expect(text.contains("seed 1 2 1"))
        let document = try json(box.run("compare", "one", "two", "three", "--json"))
        let pairs = try #require(document["pairs"]?.arrayElements)
        #expect(pairs.compactMap { $0["within_noise"]?.boolValue } == [true, false, false])
        let p = try #require(pairs[1]["p"]?.doubleValue)
        #expect(abs(p - 2.0 / 4096) <= 1e-15)
        let run = try #require(document["runs"]?.arrayElements?.first)
        #expect(run["categorical_accuracy"]?.doubleValue == 0.5)
        // Wilson's interval of 12 in 24 (statsmodels: proportion_confint(12, 24, method="wilson")).
        let interval = try #require(run["categorical_accuracy_95"]?.arrayElements).compactMap(\.doubleValue)
        #expect(abs(interval[0] - 0.3142742582) <= 1e-9 && abs(interval[1] - 0.6857257418) <= 1e-9, "\(interval)")
    }

    @Test func clipsThatAreNotInBothAreSaid() throws {
        try write("one", predictions: predictions("1111"))
        try write("two", seed: 2, predictions: predictions("1111", from: 2))
        try write("far", predictions: predictions("1111", from: 100))
        try write("none")
        let result = try box.run("compare", "one", "two", "far", "none")
        #expect(result.status == 0, "\(result.errors)")
        let text = result.output.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        #expect(text.contains("left out: 2 clips only in one, 2 clips only in two: seed differs"), "\(result.output)")
        #expect(text.contains("one and far: no clips in common"))
        #expect(text.contains("none: no predictions.csv") && text.contains("vidclass eval --checkpoint"))
        #expect(result.output.split(separator: "\n").allSatisfy { String($0).columns <= 100 || $0.contains("`") })
    }

    @Test func curvesAreDrawn() throws {
        try write("one", predictions: predictions("10"))
        try write("a & b", predictions: predictions("11"))
        try box.succeed("compare", "one", "a & b", "--output", "compare.svg")
        let svg = String(decoding: try box.bytes("compare.svg"), as: UTF8.self)
        #expect(svg.contains("<polyline") && svg.contains("a &amp; b"))
        #expect(XMLParser(data: Data(svg.utf8)).parse())
    }

    @Test func wrongRuns() throws {
        try write("one")
        #expect(try box.run("compare", "one").status == 64)
        let missing = try box.run("compare", "one", "nowhere")
        #expect(missing.status == 66)
        #expect(missing.errors.contains("nowhere"))
    }
}
