import Foundation
import Testing
import VidData
import VidSystem
import VidTensor
import VidTestSupport

/// Parts of one long clip, from a table to predictions, as a user works with them.
@Suite struct SegmentCommandTests {
    private let box: TestFolder

    /// A long clip `long.bin` of twelve stretches of five frames, 10 a second, each also as a file of its own, with a table of either.
    init() throws {
        box = try TestFolder()
        var random = RandomGenerator(seed: 4)
        let shape = ClipShape(frames: 60, channels: 3, rows: 8, columns: 8)
        let long = Clip(
            shape: shape,
            pixels: .bytes((0..<shape.count).map { UInt8(($0 / shape.frameCount / 5 % 2 == 0 ? 30 : 160) + random.below(60)) }),
            framesPerSecond: 10)
        try ClipFile.write(long, to: box("long.bin"))
        var (segments, files) = ("path,label,split\n", "path,label,split\n")
        for part in 0..<12 {
            let range = 5 * part..<5 * part + 5
            try ClipFile.write(long.selecting(Array(range), framesPerSecond: 10), to: box("part\(part).bin"))
            let rest = [part % 2 == 0 ? "dark" : "bright", part < 8 ? "train" : "val"]
            segments += CSVText.line(["long.bin#t=\(Double(part) / 2),\(Double(part + 1) / 2)"] + rest)
            files += CSVText.line(["part\(part).bin"] + rest)
        }
        try box.write("segments.csv", text: segments)
        try box.write("files.csv", text: files)
        try box.write(
            "config.json",
            text: """
                { "seed": 3,
                  "model": { "input": { "frames": 3, "rows": 8, "columns": 8 },
                             "cnn": { "architecture": { "blocks": [[2]] }, "weights": null, "trainable": true },
                             "recurrent": [ { "type": "lstm", "units": 2 } ], "hidden": [] },
                  "data": { "path": "segments.csv", "preprocessing": "unit", "leak_check": "off" },
                  "evaluation": { "clips": 2 },
                  "training": { "epochs": 2, "batch_size": 4 } }
                """)
    }

    private func train() throws -> CommandLineTool.Result {
        try box.succeed("train", "--config", "config.json", "--quiet", "--threads", "1")
    }

    /// Segments train the same weights as files of the same frames, and a stopped training goes on with them.
    @Test func trainedAsFiles() throws {
        _ = try train()
        let checked = try box.succeed("check", "segments.csv")
        #expect(checked.output.contains("1 video has segments in more than one split"), "\(checked.output)")
        try box.succeed(
            "train", "--config", "config.json", "--set", "data.path=files.csv", "--set", "output.name=files", "--quiet", "--threads", "1")
        let (segments, files) = (try box.trained("runs/train"), try box.trained("runs/files"))
        #expect(segments["results.csv"] == files["results.csv"])
        let splits = String(decoding: try #require(segments["splits.csv"]), as: UTF8.self)
        #expect(
            splits.contains("\n\"long.bin#t=0,0.5\",dark,train,\n") && splits.contains("\n\"long.bin#t=5.5,6\",bright,val,\n"), "\(splits)")
        let predictions = String(decoding: try box.bytes("runs/train/predictions.csv"), as: UTF8.self)
        #expect(predictions.contains("long.bin#t=4.5,5"))
        try box.succeed("train", "--resume", "runs/train", "--set", "training.epochs=3", "--quiet")
        let evaluated = try box.succeed("eval", "--checkpoint", "runs/train/weights/best.safetensors", "--json")
        #expect(JSONParser.document(evaluated.output)?["clips"]?.intValue == 4)
    }

    @Test func predictedAsFiles() throws {
        _ = try train()
        let scores = { (inputs: [String], words: [String]) throws -> [[String: JSONNode]] in
            let result = try CommandLineTool.run(["predict"] + inputs + ["--json"] + words, in: box.path)
            try #require(result.status == 0, "\(result.errors)")
            return (JSONParser.document(result.output)?.arrayElements ?? []).map { entry in
                Dictionary(uniqueKeysWithValues: (entry.objectMembers ?? []).map { ($0.key, $0.value) })
            }
        }
        let segments = (0..<12).map { "long.bin#t=\(Double($0) / 2),\(Double($0 + 1) / 2)" }
        let (found, own) = (try scores(segments, []), try scores((0..<12).map { "part\($0).bin" }, []))
        #expect(found.count == 12 && found.map { $0["input"]?.stringValue } == segments)
        #expect(found.map { $0["predictions"] } == own.map { $0["predictions"] })
        // Windows lie in the part and have the times of the whole.
        let windows = try scores(["long.bin#t=2,3.5"], ["--window", "0.5"])[0]["windows"]?.arrayElements ?? []
        #expect(windows.map { $0["start"]?.doubleValue } == [2, 2.5, 3])
        #expect(windows.map { $0["end"]?.doubleValue } == [2.5, 3, 3.5])
        let all = try scores(["long.bin"], ["--window", "0.5"])[0]["windows"]?.arrayElements ?? []
        #expect(all.count == 12 && Array(all[4..<7]).map { $0["predictions"] } == windows.map { $0["predictions"] })
    }

    @Test func explainedInspectedAndPacked() throws {
        _ = try train()
        let explained = try box.succeed("explain", "long.bin#t=2,2.5", "--json")
        let explanation = try #require(JSONParser.document(explained.output)?.arrayElements?.first)
        let frames = (explanation["samples"]?.arrayElements ?? []).flatMap { $0["frames"]?.arrayElements ?? [] }
        #expect(frames.count == 6 && frames.allSatisfy { (20..<25).contains($0["frame"]?.intValue ?? 0) })
        #expect(frames.allSatisfy { $0["seconds"]?.doubleValue == $0["frame"]?.intValue.map { Double($0) / 10 } })
        #expect(explanation["picture"]?.stringValue == "long-t2-2.5-explain.png" && box.exists("long-t2-2.5-explain.png"))

        let inspected = try #require(JSONParser.document(try box.succeed("inspect", "long.bin#t=2,2.5", "--json").output))
        #expect(inspected["frames"]?.intValue == 5 && inspected["first_frame"]?.intValue == 20 && inspected["start"]?.doubleValue == 2)

        try box.succeed("pack", "long.bin#t=2,2.5", "packed", "--frames", "0", "--rows", "8", "--columns", "8")
        #expect(try box.bytes("packed/long-t2-2.5.bin") == box.bytes("part4.bin"))
    }

    @Test func faultsAreNamed() throws {
        try box.write(
            "segments.csv",
            text: "path,label\n"
                + [
                    ["long.bin#t=0,1", "dark"], ["long.bin#t=1,7", "bright"], ["long.bin#t=2,2", "dark"], ["long.bin#t=0.5,1.5", "bright"],
                    ["part0.bin", "bright"], ["part1.bin", "dark"],
                ].map(CSVText.line).joined())
        let checked = try box.run("check", "segments.csv")
        #expect(checked.status == 65)
        #expect(checked.output.contains("the segment ends at 7, but long.bin ends at 6 seconds"), "\(checked.output)")
        #expect(checked.output.contains("the segment is empty"))
        #expect(checked.output.contains("1 pair of segments overlaps in time under different labels"))
        let document = try #require(JSONParser.document(try box.run("check", "segments.csv", "--json").output))
        #expect(document["bad"]?.intValue == 2 && document["overlaps"]?.arrayElements?.count == 1)
        _ = try box.write(
            "segments.csv", text: String(decoding: try box.bytes("files.csv"), as: UTF8.self))
        _ = try train()
        let missing = try box.run("predict", "gone.mp4#t=1,2")
        #expect(missing.status == 66 && missing.errors.contains("gone.mp4: no such file"), "\(missing.errors)")
        let late = try box.run("predict", "long.bin#t=9,10")
        #expect(late.status == 65 && late.errors.contains("the segment starts at 9, but long.bin ends at 6 seconds"), "\(late.errors)")
    }
}

extension JSONParser {
    fileprivate static func document(_ text: String) -> JSONNode? { try? JSONParser.parse(Array(text.utf8)) }
}
