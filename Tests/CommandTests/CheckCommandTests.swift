import Foundation
import Testing
import VidConfig
import VidData
import VidSystem
import VidTensor
import VidTestSupport

/// `vidclass check` and `vidclass init` on packed clips.
@Suite struct CheckCommandTests {
    private let box: TestFolder

    init() throws {
        box = try TestFolder()
        try box.synthesize(classes: 3, clips: 6, frames: 6, size: 32)
    }

    private func firstClip() throws -> (label: String, name: String) {
        let label = try #require(try box.names("data").first { !$0.hasPrefix(".") })
        return (label, try #require(try box.names("data/\(label)").first))
    }

    @Test func allIsWell() throws {
        let result = try box.run("check", "data")
        #expect(result.status == 0, "\(result.errors)")
        #expect(result.output.contains("18 clips in 3 classes (18 .bin files)"))
        #expect(result.output.contains("All clips can be read"))
        #expect(result.output.split(separator: "\n").allSatisfy { $0.count <= 80 })
        let json = try box.run("check", "data", "--json", "--set", "data.validation_split=0.5")
        let document = try JSONParser.parse(Array(json.output.utf8))
        #expect(document["bad"]?.intValue == 0)
        #expect(document["parts"]?["val"]?["clips"]?.intValue == 9)
        #expect(document["frames"]?["median"]?.doubleValue == 6)
        #expect(document["leaks"]?.arrayElements != nil)
    }

    @Test func badClipsAndLeaks() throws {
        let (label, name) = try firstClip()
        let whole = try box.bytes("data/\(label)/\(name)")
        try FileManager.default.createDirectory(atPath: box("parts/test"), withIntermediateDirectories: true)
        try FileManager.default.copyItem(atPath: box("data"), toPath: box("parts/train"))
        try box.write("parts/test/\(label)/a, \"copy\"\n🎬.bin", whole)
        let copy = try box.run("check", "parts")
        #expect(copy.status == 0, "\(copy.errors)")
        #expect(copy.output.contains("(identical)") && copy.output.contains("\\n🎬.bin"))
        let refused = try box.run("check", "parts", "--set", "data.leak_check=refuse")
        #expect(refused.status == 65)
        #expect(refused.errors.contains("the same frames in different splits"))
        let off = try box.run("check", "parts", "--set", "data.leak_check=off", "--json")
        #expect(try JSONParser.parse(Array(off.output.utf8))["leaks"]?.isNull == true)

        try box.write("parts/train/\(label)/cut.bin", Array(whole.prefix(whole.count / 2)))
        let bad = try box.run("check", "parts")
        #expect(bad.status == 65)
        #expect(bad.output.contains("train/\(label)/cut.bin"))
        #expect(bad.errors.contains("1 bad clip of 20. Fix or remove it, or train without it by adding --set data.skip_bad_clips=true\n"))
        // The list names it; the error does not repeat that.
        #expect(!bad.errors.contains("cut.bin") && bad.output.contains("1 unreadable"))
        #expect(try box.run("check", "parts", "--json").errors.contains("cut.bin"))
    }

    /// The content of a file decides what it is; its name only where the content does not.
    @Test func filesOfOtherNames() throws {
        let (label, name) = try firstClip()
        for name in try box.names("data/\(label)") {
            try FileManager.default.moveItem(atPath: box("data/\(label)/\(name)"), toPath: box("data/\(label)/\(name.dropLast(4))"))
        }
        try box.write("data/\(label)/clip.ts", text: "export const clip = 1;\n")
        let good = try box.run("check", "data")
        #expect(good.status == 0 && good.output.contains("18 clips in 3 classes (18 .bin files)"), "\(good.output)\(good.errors)")
        #expect(good.output.contains("skipped 1 other file: \(label)/clip.ts"), "\(good.output)")
        #expect(try box.run("inspect", "data/\(label)/\(name.dropLast(4))").status == 0)

        try box.write("data/\(label)/picture.mp4", [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, 0, 0, 0, 13])
        try box.write("data/\(label)/page.mp4", text: "<!DOCTYPE html><html><head><title>404</title>")
        let bad = try box.run("check", "data", "--json")
        #expect(bad.status == 65 && bad.errors.contains("2 bad clips of 20"), "\(bad.errors)")
        #expect(bad.errors.contains("page.mp4 (not a clip but a web page (HTML)"), "\(bad.errors)")
        for (file, reason) in [
            ("picture.mp4", "not a clip but a picture (PNG)"), ("page.mp4", "not a clip but a web page (HTML); if the download"),
            ("clip.ts", "not a clip but a text file"),
        ] {
            let result = try box.run("inspect", "data/\(label)/\(file)")
            #expect(result.status == 65 && result.errors.contains("data/\(label)/\(file): \(reason)"), "\(result.errors)")
        }
    }

    /// A class of streams without a container, and one of videos without extensions.
    @Test(.enabled(if: FFmpegProgram.isInstalled)) func streamsAndVideosWithoutExtensions() throws {
        try box.makeFolder("videos/a")
        try box.makeFolder("videos/b")
        try FFmpegProgram.run(
            ["-f", "lavfi", "-i", "testsrc2=size=64x48:rate=10:duration=1", "-t", "1"]
                + ["h264", "mp4"].enumerated().flatMap {
                    // One clip must not have two labels.
                    ["-map", "0:v", "-vf", $0 == 0 ? "null" : "negate", "-pix_fmt", "yuv420p", "-f", $1]
                        + [box("videos/\($0 == 0 ? "a/1.h264" : "b/1")")]
                })
        let checked = try box.run("check", "videos", "--set", "data.leak_check=off")
        #expect(
            checked.status == 0 && checked.output.contains("2 clips in 2 classes (2 H.264 videos)"), "\(checked.output)\(checked.errors)")
    }

    /// Which of several video streams is used, and what else a video's container tells.
    @Test(.enabled(if: FFmpegProgram.isInstalled)) func severalStreams() throws {
        for label in ["a", "b"] { try box.makeFolder("videos/\(label)") }
        try FFmpegProgram.run(
            ["-f", "lavfi", "-i", "testsrc2=size=64x48:rate=10", "-f", "lavfi", "-i", "testsrc=size=32x24:rate=5"]
                + ["-map", "0:v", "-map", "1:v", "-t", "2", "-pix_fmt", "yuv420p", "-disposition:v:0", "0", "-disposition:v:1", "default"]
                + [box("videos/a/two.mkv"), "-map", "0:v", "-t", "2", "-c:v", "mpeg4", box("videos/b/one.avi")])
        func inspect(_ file: String) throws -> JSONNode {
            let result = try box.run("inspect", file, "--json")
            #expect(result.status == 0, "\(result.errors)")
            return try JSONParser.parse(Array(result.output.utf8))
        }
        let two = try inspect("videos/a/two.mkv")
        #expect(two["video_stream"]?.intValue == 2 && two["video_streams"]?.intValue == 2 && two["rows"]?.intValue == 24)
        #expect(two["container"]?.stringValue?.hasPrefix("matroska") == true && two["damage"]?.stringValue == nil)
        #expect(abs((two["seconds"]?.doubleValue ?? 0) - 2) <= 1e-6 && two["frames"]?.intValue == 10)
        let text = try box.run("inspect", "videos/a/two.mkv").output
        #expect(text.contains("2 of 2, the default one") && !text.contains("video_streams") && !text.contains("damage"), "\(text)")
        let one = try box.run("inspect", "videos/b/one.avi").output
        #expect(!one.contains("video_stream") && one.contains("container"), "\(one)")

        // The end of the file is missing.
        let bytes = try box.bytes("videos/b/one.avi")
        try box.write("cut.avi", Array(bytes.dropLast(100)))
        #expect(try inspect("cut.avi")["damage"]?["ends_early"]?.boolValue == true)
        #expect(try box.run("inspect", "cut.avi").output.contains("ends early"))

        let checked = try box.run("check", "videos")
        #expect(
            checked.status == 0 && checked.output.contains("1 clip has several video streams, for example a/two.mkv (2)"),
            "\(checked.output)")
    }

    /// Not every frame of a long video is decoded, unless the check is thorough.
    @Test(.enabled(if: FFmpegProgram.isInstalled)) func thoroughly() throws {
        try box.makeFolder("videos/a")
        try box.makeFolder("videos/b")
        let coding = "-t 65 -c:v mpeg4 -bf 0 -g 5".split(separator: " ").map(String.init)
        try FFmpegProgram.run(
            ["-f", "lavfi", "-i", "testsrc2=size=64x48:rate=2"] + coding + [box("videos/a/1.avi")]
                + ["-vf", "negate"] + coding + [box("videos/b/1.avi")])
        var bytes = try box.bytes("videos/a/1.avi")
        // The pictures between key frames (ISO/IEC 14496-2, 6.3.5: a VOP of type 1), each in a chunk of its own.
        let head = Array("00dc".utf8)
        let places = bytes.indices.dropLast(16).filter {
            bytes[$0..<$0 + 4].elementsEqual(head) && bytes[$0 + 8..<$0 + 12].elementsEqual([0, 0, 1, 0xB6]) && bytes[$0 + 12] >> 6 == 1
        }
        try #require(places.count > 90)
        let place = places[places.count / 2]
        for byte in place + 20..<place + 100 { bytes[byte] = 0xFF }
        try box.write("videos/a/1.avi", bytes)

        func damaged(_ option: String) throws -> JSONNode {
            let result = try box.run("check", "videos", "--set", "data.leak_check=off", "--json", option)
            #expect(result.status == 0, "\(result.errors)")
            return try JSONParser.parse(Array(result.output.utf8))["damaged_clips"] ?? .null
        }
        #expect(try damaged("--no-cache").arrayElements?.isEmpty == true)
        let found = try #require(damaged("--thorough").arrayElements)
        #expect(found.count == 1 && found.first?["path"]?.stringValue == "a/1.avi")
        #expect((found.first?["decoding_errors"]?.intValue ?? 0) > 0 && found.first?["ends_early"]?.boolValue == false)
    }

    /// With a config, clips of another size than the model's are bad.
    @Test func clipsMustFitTheConfig() throws {
        try box.write("c.json", text: #"{"data": {"path": "data"}, "model": {"input": {"frames": 4, "rows": 64, "columns": 64}}}"#)
        let result = try box.run("check", "--config", "c.json")
        #expect(result.status == 65)
        #expect(result.errors.contains("none of its 18 clips can be used") && !result.errors.contains("skip_bad_clips"))
        #expect(result.output.contains("(18 unusable)") && result.output.contains("expected frames of 64x64"))
        #expect(try box.run("check").status == 64)
    }

    @Test func initThenTrain() throws {
        let made = try box.run("init", "data")
        #expect(made.status == 0, "\(made.errors)")
        #expect(made.output.contains("model.cnn: 3 small blocks, from scratch"))
        let configuration = try RunConfiguration.load(path: box("config.json"))
        #expect(configuration.data.path == "data")
        #expect(configuration.model.input.frames == 6 && configuration.model.input.rows == 32)
        #expect(configuration.model.cnn?.weights == nil)
        let document = try JSONParser.parse(box.bytes("config.json"))
        #expect((document["$comment"]?.arrayElements?.count ?? 0) > 5)

        let again = try box.run("init", "data")
        #expect(again.status == 64)
        #expect(again.errors.contains("--force"))
        #expect(try box.run("init", "data", "--force").status == 0)
        #expect(try box.run("check", "--config", "config.json").status == 0)
        try box.succeed("train", "--config", "config.json", "--set", "training.epochs=1")
    }

    @Test func initOfUnevenClassesAndBadClips() throws {
        let (label, _) = try firstClip()
        for other in try box.names("data/\(label)").dropFirst(2) { try box.remove("data/\(label)/\(other)") }
        try box.write("data/\(label)/bad.bin", [1, 2, 3])
        let made = try box.run("init", "data", "--output", "uneven.json")
        #expect(made.status == 0, "\(made.errors)")
        #expect(made.output.contains("15 clips in 3 classes (14 .bin files, 1 unreadable)"))
        #expect(
            made.output.contains("data.skip_bad_clips: true\n")
                && made.output.contains("1 clip of 15 cannot be used: data/\(label)/bad.bin"))
        #expect(!made.errors.contains("bad.bin"))
        let configuration = try RunConfiguration.load(path: box("uneven.json"))
        #expect(configuration.training.classWeights == .balanced && configuration.data.skipBadClips)
        // A fifth of the clips is not for training.
        let counts = ["11", "12"].filter { made.output.contains("\n    \($0) training clips; fewer clips need more passes\n") }
        #expect(counts.count == 1, "\(made.output)")
        for _ in 0..<2 { try box.succeed("train", "--config", "uneven.json", "--set", "training.epochs=1") }

        // The clip that was left out is not new to the run, and resuming what is finished does not make it the newest run.
        let resumed = try box.run("train", "--resume", "runs/train")
        #expect(resumed.status == 0 && resumed.errors.contains("nothing to do"), "\(resumed.errors)")
        #expect(!resumed.errors.contains("new clip"), "\(resumed.errors)")
        let clip = try #require(try box.names("data/\(label)").first { $0 != "bad.bin" })
        #expect(try box.run("predict", "data/\(label)/\(clip)").errors.hasPrefix("using runs/train2/weights/best.safetensors"))
    }

    /// Leaving out the bad clips would leave out a class: there is nothing to train on.
    @Test func initRefusesAClassWithoutReadableClips() throws {
        let (label, _) = try firstClip()
        for name in try box.names("data/\(label)") { try box.write("data/\(label)/\(name)", [1, 2, 3]) }
        for words in [["init", "data"], ["check", "data"]] {
            let result = try CommandLineTool.run(words, in: box.path)
            #expect(result.status == 65 && !result.errors.contains("skip_bad_clips"), "\(result.errors)")
            #expect(result.errors.contains("6 bad clips of 18") && result.errors.contains("the class \"\(label)\" has no training clips"))
        }
        #expect(!box.exists("config.json"))
    }

    /// Missing data is named before an existing configuration.
    @Test func initLooksAtTheDataFirst() throws {
        try box.write("config.json", text: "{}")
        let result = try box.run("init", "nowhere")
        #expect(result.status == 66 && result.errors.contains("nowhere: no such file or folder"))
        #expect(try box.run("init", "data").errors.contains("config.json exists already; overwrite it with --force"))
    }

    /// Every remark appears once, also where the report on the data is not shown.
    @Test func remarksAppearOnce() throws {
        try box.write("data/notes.txt", text: "hello")
        try box.write("data/stray.bin", box.bytes("data/\(firstClip().label)/\(firstClip().name)"))
        let remark = "note: skipped 2 other files: notes.txt, stray.bin; 1 of them is a clip outside of the class folders"
        func count(_ result: CommandLineTool.Result) -> Int {
            (result.output + result.errors).split(whereSeparator: \.isWhitespace).joined(separator: " ").components(separatedBy: remark)
                .count - 1
        }
        #expect(count(try box.run("check", "data")) == 1)
        #expect(count(try box.run("init", "data")) == 1)
        for options in [[], ["--quiet"]] {
            let trained = try CommandLineTool.run(
                ["train", "--config", "config.json", "--set", "training.epochs=1"] + options, in: box.path)
            #expect(trained.status == 0 && count(trained) == 1, "\(trained.errors)")
        }
    }
}
