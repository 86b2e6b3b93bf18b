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
        #expect(bad.errors.contains("1 bad clip of 20"))
    }

    /// With a config, clips of another size than the model's are bad.
    @Test func clipsMustFitTheConfig() throws {
        try box.write("c.json", text: #"{"data": {"path": "data"}, "model": {"input": {"frames": 4, "rows": 64, "columns": 64}}}"#)
        let result = try box.run("check", "--config", "c.json")
        #expect(result.status == 65)
        #expect(result.errors.contains("18 bad clips of 18") && result.errors.contains("expected frames of 64x64"))
        #expect(try box.run("check").status == 64)
    }

    @Test func initThenTrain() throws {
        let made = try box.run("init", "data")
        #expect(made.status == 0, "\(made.errors)")
        #expect(made.output.contains("model.cnn = 3 small blocks, from scratch"))
        let configuration = try RunConfiguration.load(path: box("config.json"))
        #expect(configuration.data.path == "data")
        #expect(configuration.model.input.frames == 6 && configuration.model.input.rows == 32)
        #expect(configuration.model.cnn.weights == nil)
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
        let (label, name) = try firstClip()
        for other in try box.names("data/\(label)").dropFirst() {
            try FileManager.default.removeItem(atPath: box("data/\(label)/\(other)"))
        }
        try box.write("data/\(label)/bad.bin", [1, 2, 3])
        let made = try box.run("init", "data", "--output", "uneven.json")
        #expect(made.status == 0, "\(made.errors)")
        #expect(made.errors.contains("1 bad clip") && made.errors.contains("has one training clip") || made.errors.contains("bad.bin"))
        #expect(try RunConfiguration.load(path: box("uneven.json")).training.classWeights == .balanced)
        _ = name
    }
}
