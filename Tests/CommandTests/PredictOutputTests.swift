import Foundation
import Testing
import VidData
import VidSystem
import VidTensor
import VidTestSupport

/// The output formats of `vidclass predict`, and how it and `explain` end if inputs fail.
@Suite struct PredictOutputTests {
    private let box: TestFolder
    private let clips: [String]

    init() throws {
        box = try TestFolder()
        let trained = try TrainedModel.folder()
        for name in ["data", "runs"] { try FileManager.default.copyItem(atPath: trained(name), toPath: box(name)) }
        let label = try #require(try box.names("data").first { !$0.hasPrefix(".") })
        clips = (0..<4).map { "data/\(label)/00\($0).bin" }
        try box.write("bad.bin", text: "no clip")
    }

    private func table(_ result: CommandLineTool.Result) throws -> CSVTable { try CSVTable(Array(result.output.utf8), path: "output") }

    private func entries(_ result: CommandLineTool.Result) throws -> [JSONNode] {
        try #require(JSONParser.parse(Array(result.output.utf8)).arrayElements)
    }

    // MARK: - CSV

    @Test func csvHasARowPerInput() throws {
        let result = try box.run("predict", clips[0], "missing.bin", "bad.bin", clips[1], "--format", "csv")
        #expect(result.status == 65, "\(result.errors)")
        let table = try table(result)
        #expect(table.header == ["input", "label", "score", "second", "second_score", "doubtful", "unfamiliar", "error"])
        #expect(table.records.map { $0.fields[0] } == [clips[0], "missing.bin", "bad.bin", clips[1]])
        for row in [1, 2] {
            let fields = table.records[row].fields
            #expect(fields[1..<7].allSatisfy { $0.isEmpty } && fields[7].hasPrefix(fields[0] + ": "), "\(fields)")
        }
        // The same numbers as in JSON.
        let ranked = try entries(try box.run("predict", clips[0], clips[1], "--json")).map {
            ($0["predictions"]?.arrayElements ?? []).map { ($0["label"]?.stringValue ?? "", $0["score"]?.doubleValue ?? .nan) }
        }
        for (row, ranked) in zip([0, 3], ranked) {
            let fields = table.records[row].fields
            #expect(fields[1] == ranked[0].0 && fields[3] == ranked[1].0 && fields[7].isEmpty)
            #expect(Float(fields[2]) == Float(ranked[0].1) && Float(fields[4]) == Float(ranked[1].1))
            #expect(fields[5] == "\(ranked[0].1 - ranked[1].1 < 0.5)")
        }
    }

    @Test func csvWithARowPerClass() throws {
        let long = try table(try box.run("predict", clips[0], "missing.bin", "--format", "csv", "--long"))
        #expect(long.header == ["input", "rank", "label", "score", "error"])
        #expect(long.records.map { $0.fields[1] } == ["1", "2", ""] && long.records[2].fields[4].hasPrefix("missing.bin: "))
        #expect(try table(try box.run("predict", clips[0], "--format", "csv", "--long", "--top", "1")).records.count == 1)
        let unused = try box.run("predict", clips[0], "--format", "csv", "--top", "3")
        #expect(unused.status == 0 && unused.errors.contains("--long"), "\(unused.errors)")
        #expect(try box.run("predict", clips[0], "--long").status == 64)
        #expect(try box.run("predict", clips[0], "--long", "--json").status == 64)
    }

    @Test func csvOfWindows() throws {
        let short = try table(try box.run("predict", clips[0], "bad.bin", "--format", "csv", "--window", "0.25"))
        #expect(short.header == ["input", "start", "end", "label", "score", "second", "second_score", "doubtful", "unfamiliar", "error"])
        #expect(short.records.count == 3 && short.records[1].fields[1] == "0.250", "\(short.records)")
        #expect(short.records[2].fields[0] == "bad.bin" && !short.records[2].fields[9].isEmpty)
        let long = try table(try box.run("predict", clips[0], "--format", "csv", "--window", "0.25", "--long"))
        #expect(long.header == ["input", "start", "end", "rank", "label", "score", "error"] && long.records.count == 4)
        let json = try entries(try box.run("predict", clips[0], "bad.bin", "--json", "--window", "0.25"))
        #expect(json[0]["windows"]?.arrayElements?.count == 2 && json[1]["windows"]?.arrayElements?.isEmpty == true)
        #expect(json[1]["error"]?.stringValue?.hasPrefix("bad.bin: ") == true)
    }

    @Test func noCellIsAFormula() throws {
        for name in ["=1+1.bin", "@a.bin", "-2+3.bin"] { try box.write(name, try box.bytes(clips[0])) }
        let result = try CommandLineTool.run(
            ["predict", "--format", "csv", clips[0], "--", "=1+1.bin", "@a.bin", "-2+3.bin", "+no.bin"], in: box.path)
        let lines = result.output.split(separator: "\n")
        for (line, start) in zip(lines.dropFirst(2), ["'=1+1.bin,", "'@a.bin,", "'-2+3.bin,", "'+no.bin,"]) {
            #expect(line.hasPrefix(start))
        }
        #expect(lines[5].hasSuffix(",'+no.bin: no such file or folder"), "\(lines[5])")
        #expect(result.errors.split(separator: "\n").count { $0.contains("formula") } == 1, "\(result.errors)")
        #expect(!(try box.run("predict", clips[0], "--format", "csv")).errors.contains("formula"))
        #expect(try entries(try box.run("predict", "=1+1.bin", "--json"))[0]["input"]?.stringValue == "=1+1.bin")
    }

    // MARK: - Bouts

    /// Bouts are made of the windows that the other formats show.
    @Test func boutsOfWindows() throws {
        let words = ["predict", clips[0], "bad.bin", clips[1], "--window", "0.25", "--stride", "0.125"]
        let result = try CommandLineTool.run(words + ["--bouts", "--threshold", "0", "--format", "csv"], in: box.path)
        #expect(result.status == 65 && result.errors.contains("bad.bin"), "\(result.errors)")
        let table = try table(result)
        #expect(table.header == ["video", "label", "start", "end", "score"])
        let found = try entries(try CommandLineTool.run(words + ["--bouts", "--threshold", "0", "--json", "--top", "1"], in: box.path))
        #expect(found.count == 3 && found[1]["error"] != nil)
        var rows = table.records.map(\.fields)[...]
        for entry in found where entry["error"] == nil {
            let windows = try #require(entry["windows"]?.arrayElements)
            let bouts = try #require(entry["bouts"]?.arrayElements)
            #expect(bouts.first?["start"]?.doubleValue == 0)
            #expect(bouts.last?["end"]?.doubleValue == windows.last?["end"]?.doubleValue)
            for bout in bouts {
                let next = rows.popFirst()
                let row = try #require(next)
                #expect(row[0] == entry["input"]?.stringValue && row[1] == bout["label"]?.stringValue)
                let numbers = zip(row[2...], ["start", "end", "score"]).map { abs((Double($0) ?? .nan) - (bout[$1]?.doubleValue ?? .nan)) }
                #expect(numbers.allSatisfy { $0 <= 1e-3 }, "\(row)")
            }
            let seconds = (entry["seconds"]?.objectMembers ?? []).reduce(0) { $0 + ($1.value.doubleValue ?? .nan) }
            #expect(abs(seconds - (windows.last?["end"]?.doubleValue ?? .nan)) <= 1e-9)
        }
        #expect(rows.isEmpty)
        let text = try box.run("predict", clips[0], "--window", "0.25", "--bouts", "--threshold", "0")
        #expect(text.output.contains("100 %") || text.output.contains(" s  "), "\(text.output)")
        let none = try box.run("predict", clips[0], "--window", "0.25", "--bouts", "--threshold", "1")
        #expect(none.output.contains("no bouts"), "\(none.output)")
    }

    @Test(arguments: [
        ["--bouts"], ["--window", "1", "--threshold", "0.5"], ["--window", "1", "--bouts", "--threshold", "1.5"],
        ["--window", "1", "--bouts", "--min-seconds", "-1"], ["--window", "1", "--bouts", "--long", "--format", "csv"],
        ["--output", "x"], ["--output", "x.txt"], ["--output", "x.csv", "--format", "text"],
    ])
    func wrongUsageOfBoutsAndFiles(words: [String]) throws {
        let result = try CommandLineTool.run(["predict", clips[0]] + words, in: box.path)
        #expect(result.status == 64, "\(result.errors)")
    }

    // MARK: - Files

    @Test(arguments: ["csv", "json", "jsonl"]) func aFileHasWhatStandardOutputHas(format: String) throws {
        let words = ["predict", clips[0], "bad.bin", clips[1], "--window", "0.25"]
        let shown = try CommandLineTool.run(words + ["--format", format], in: box.path)
        let written = try CommandLineTool.run(words + ["--output", "out.\(format)"], in: box.path)
        #expect(written.status == 65 && written.output.isEmpty && written.errors.contains("wrote out.\(format)"), "\(written.errors)")
        #expect(String(decoding: try box.bytes("out.\(format)"), as: UTF8.self) == shown.output)
        #expect(!box.exists("out.\(format).partial"))
    }

    /// A stopped command goes on behind the last input that is whole in the journal.
    @Test func aStoppedCommandGoesOn() throws {
        let words = ["predict", clips[0], clips[1], clips[2], "--window", "0.25", "--format", "csv"]
        let shown = try CommandLineTool.run(words, in: box.path)
        // The journal of a command that has failed to write its result stays.
        try box.makeFolder("out.csv/full")
        #expect(try CommandLineTool.run(words + ["--output", "out.csv"], in: box.path).status == 74)
        try box.remove("out.csv")
        let lines = String(decoding: try box.bytes("out.csv.partial"), as: UTF8.self).split(separator: "\n")
        #expect(lines.count == 4)
        // The second input was half written when the command was stopped. The first one is not computed again: its row shows it.
        let mark = lines[1].replacing("\\n", with: "marked\\n")
        #expect(mark != lines[1])
        try box.write("out.csv.partial", text: lines[0] + "\n" + mark + "\n" + lines[2].prefix(lines[2].count / 2))
        let other = try CommandLineTool.run(words + ["--output", "out.csv", "--stride", "0.5"], in: box.path)
        #expect(other.status == 65 && other.errors.contains("other settings"), "\(other.errors)")
        let again = try CommandLineTool.run(words + ["--output", "out.csv"], in: box.path)
        #expect(again.status == 0 && again.errors.contains("1 of 3 inputs was finished before"), "\(again.errors)")
        let written = String(decoding: try box.bytes("out.csv"), as: UTF8.self)
        #expect(written.contains("marked") && written.replacing("marked", with: "") == shown.output, "\(written)")
        #expect(!box.exists("out.csv.partial"))
        // A clip that has changed is classified again.
        try box.write("out.csv.partial", text: lines[0] + "\n" + mark + "\n")
        try box.write(clips[0], box.bytes(clips[3]))
        #expect(try CommandLineTool.run(words + ["--output", "out.csv"], in: box.path).status == 0)
        #expect(!String(decoding: try box.bytes("out.csv"), as: UTF8.self).contains("marked"))
    }

    /// Nothing is replaced but a file or the target of a link, and a file that only has a journal's name stays.
    @Test func whatIsNoOutputStays() throws {
        let words = ["predict", clips[0], "--checkpoint", "runs/train/weights/best.safetensors", "--output"]
        try #require(mkfifo(box("pipe.csv"), 0o600) == 0)
        try expectRefusal(box, words + ["pipe.csv"], naming: "pipe.csv", "is a pipe, socket or device", status: 64)
        #expect(try SystemCall.status(box("pipe.csv"), followingLink: false).kind == .other && !box.exists("pipe.csv.partial"))
        try FileManager.default.createSymbolicLink(atPath: box("link.csv"), withDestinationPath: "target.csv")
        #expect(try CommandLineTool.run(words + ["link.csv"], in: box.path).status == 0)
        #expect(try SystemCall.status(box("link.csv"), followingLink: false).kind == .other)
        #expect(try SystemCall.status(box("target.csv"), followingLink: false).kind == .file)
        for text in ["my notes\n", "{}\n"] {
            try box.write("out.csv.partial", text: text)
            try expectRefusal(box, words + ["out.csv"], naming: "out.csv.partial", "is not a file of vidclass")
            #expect(try self.text("out.csv.partial") == text)
        }
        // A command that was stopped while it wrote the first line.
        try box.write("out.csv.partial", text: "{\"settings\":{\"ver")
        #expect(try CommandLineTool.run(words + ["out.csv"], in: box.path).status == 0)
    }

    // MARK: - JSON

    @Test func jsonHasFailedInputs() throws {
        let words = [clips[0], "missing.bin", "bad.bin"]
        let result = try CommandLineTool.run(["predict"] + words + ["--json", "--top", "1"], in: box.path)
        #expect(result.status == 65)
        #expect(try CommandLineTool.run(["predict"] + words + ["--format", "json", "--top", "1"], in: box.path).output == result.output)
        let found = try entries(result)
        #expect(found.map { $0["input"]?.stringValue } == words)
        #expect(found.map { $0["predictions"]?.arrayElements?.count } == [1, 0, 0])
        #expect(found.map { $0["error"]?.stringValue?.prefix(7) } == [nil, "missing", "bad.bin"])
        // One object a line: the same ones.
        let lines = try CommandLineTool.run(["predict"] + words + ["--format", "jsonl", "--top", "1"], in: box.path)
        #expect(lines.status == 65)
        #expect(try lines.output.split(separator: "\n").map { try JSONParser.parse(Array($0.utf8)) } == found)
        #expect(try box.run("predict", clips[0], "--json", "--format", "csv").status == 64)
        #expect(try box.run("explain", clips[0], "--json", "--format", "text").status == 64)
        let explained = try CommandLineTool.run(["explain"] + words + ["--json", "--output", "why"], in: box.path)
        let explanations = try entries(explained)
        #expect(explained.status == 65 && explanations.map { $0["input"]?.stringValue } == words)
        #expect(explanations.map { $0["error"]?.stringValue?.prefix(7) } == [nil, "missing", "bad.bin"])
    }

    // MARK: - Streams

    private func shell(_ script: String) throws {
        _ = try CommandLineTool.run([], in: box.path, through: ["/bin/sh", "-c", script])
    }

    private func text(_ name: String) throws -> String { String(decoding: try box.bytes(name), as: UTF8.self) }

    /// Results and errors in one file: each result comes before the next error.
    @Test(arguments: ["csv", "json", "jsonl"]) func eachResultIsWrittenAtOnce(format: String) throws {
        try shell(#""$0" predict one.bin two.bin three.bin --format \#(format) > both 2>&1"#)
        let lines = try text("both").split(separator: "\n").filter { $0.contains("no such file") }
        let order = lines.map { $0.hasPrefix("vidclass: error: ") ? "error" : "result" }
        #expect(order == ["error", "result", "error", "result", "error", "result"], "\(lines)")
    }

    /// After `head` has gone, nothing more is computed and nothing is said about it.
    @Test(arguments: ["csv", "json"]) func aReaderThatGoesEndsIt(format: String) throws {
        try box.write("list.txt", text: (0..<20_000).map { "missing/clip number \($0).bin\n" }.joined())
        try shell(#"("$0" predict --input-list list.txt --format \#(format) 2> errors; echo $? > code) | head -n 2 > first"#)
        #expect(try text("first").split(separator: "\n").count == 2)
        let errors = try text("errors").split(separator: "\n")
        #expect(errors.count < 20_000 && !errors.contains { $0.contains("standard output") || $0.contains("pipe") }, "\(errors.count)")
        // By SIGPIPE or, where it is ignored, with the code of what has failed so far.
        #expect(["141\n", "66\n"].contains(try text("code")))
    }

    // MARK: - Exit codes

    @Test(arguments: [
        (["missing.bin"], 66), (["missing.bin", "gone.bin"], 66), (["missing.bin", "gone.bin", "nowhere/*.bin"], 66), (["bad.bin"], 65),
        (["bad.bin", "bad2.bin"], 65), (["bad.bin", "missing.bin"], 65), (["CLIP", "missing.bin"], 65), (["CLIP", "bad.bin"], 65),
        (["CLIP"], 0), (["missing.bin", "missing.bin"], 66),
    ])
    func exitCodes(inputs: [String], code: Int) throws {
        try box.write("bad2.bin", text: "no clip either")
        let words = inputs.map { $0 == "CLIP" ? clips[0] : $0 }
        for command in [["predict"], ["explain", "--output", "why/"]] {
            for format in [[], ["--json"]] {
                let result = try CommandLineTool.run(command + words + format, in: box.path)
                #expect(result.status == Int32(code), "\(command) \(words): \(result.errors)")
            }
        }
    }

    // MARK: - Scores that are no numbers

    @Test func noAnswerIsTheSameErrorEverywhere() throws {
        try TrainedModel.rewrite(
            try TrainedModel.best(), to: box("huge.safetensors"),
            change: { name, tensor in
                guard name == "output/kernel" || name == "hidden_0/kernel" else { return }
                for place in 0..<tensor.count { tensor.base[place] = place % 2 == 0 ? 3e38 : -3e38 }
            })
        let expected = ": the scores that huge.safetensors gives it are not finite numbers, so there is no answer"
        for words in [
            ["predict", clips[0]], ["predict", clips[0], "--json"], ["predict", clips[0], "--window", "0.25"], ["predict", "data"],
            ["explain", clips[0]], ["eval", "--split", "all"],
        ] {
            let result = try CommandLineTool.run(words + ["--checkpoint", "huge.safetensors"], in: box.path)
            #expect(result.status == 65, "\(words): \(result.status) \(result.errors)")
            #expect(result.errors.contains(clips[0] + expected), "\(words): \(result.errors)")
        }
    }
}
