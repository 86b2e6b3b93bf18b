import Foundation
import Testing
import VidTestSupport

/// Bad input: one clear line that names the file, the documented exit code, nothing left behind.
@Suite struct BadInputTests {
    /// A sandbox with a small data set in `data` and a config for it in `config.json`.
    private func sandbox() throws -> TestFolder { try TestFolder(config: TrainedModel.config, classes: 2, clips: 4) }

    /// The first clip in `data`.
    private func firstClip(_ box: TestFolder) throws -> String {
        let names = try FileManager.default.subpathsOfDirectory(atPath: box.path + "/data").filter { $0.hasSuffix(".bin") }.sorted()
        return try #require(names.first)
    }

    /// Training must fail with `status` and one error; it, or the report on the data before it, holds each of `words`.
    private func expectRefusal(
        _ box: TestFolder, _ status: Int32, _ words: [String], _ arguments: [String] = ["train", "--config", "config.json"],
        environment: [String: String?] = [:], sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let result = try CommandLineTool.run(arguments, in: box.path, environment: environment)
        #expect(result.status == status, "\(result.errors)", sourceLocation: sourceLocation)
        let complaint = result.errors.split(separator: "\n").filter { $0.hasPrefix("vidclass: error: ") }
        #expect(complaint.count == 1, "\(result.errors)", sourceLocation: sourceLocation)
        // The report on the data breaks long lines.
        let text = result.errors.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        for word in words {
            #expect(text.contains(word), "\(word) in: \(result.errors)", sourceLocation: sourceLocation)
        }
        #expect(result.output.isEmpty, sourceLocation: sourceLocation)
    }

    private func corrupt(_ box: TestFolder, _ name: String, _ change: (inout [UInt8]) -> Void) throws {
        var data = try box.bytes(name)
        change(&data)
        try box.write(name, data)
    }

    @Test func missingConfig() throws {
        try expectRefusal(sandbox(), 66, ["none.json"], ["train", "--config", "none.json"])
    }

    @Test func missingDataFolder() throws {
        try expectRefusal(sandbox(), 66, ["nowhere"], ["train", "--config", "config.json", "--set", "data.path=nowhere"])
    }

    @Test func classFolderWithoutClips() throws {
        let box = try sandbox()
        try box.write("data/other/notes.txt", text: "none yet")
        try expectRefusal(box, 65, ["the class \"other\" has no clips"])
        try box.remove("data/other/notes.txt")
        let trained = try box.run("train", "--config", "config.json")
        #expect(trained.status == 0 && trained.errors.contains("passed over the empty folder other"), "\(trained.errors)")
    }

    @Test func wrongMagic() throws {
        let box = try sandbox()
        let clip = try firstClip(box)
        try corrupt(box, "data/" + clip) { $0[0] ^= 0xFF }
        try expectRefusal(box, 65, [clip])
    }

    @Test func wrongHeaderChecksum() throws {
        let box = try sandbox()
        let clip = try firstClip(box)
        try corrupt(box, "data/" + clip) { $0[28] ^= 1 }
        try expectRefusal(box, 65, [clip, "CRC"])
    }

    @Test func wrongPayloadChecksum() throws {
        let box = try sandbox()
        let clip = try firstClip(box)
        try corrupt(box, "data/" + clip) { $0[100] ^= 1 }
        try expectRefusal(box, 65, [clip, "CRC"])
    }

    @Test func truncatedPayload() throws {
        let box = try sandbox()
        let clip = try firstClip(box)
        try corrupt(box, "data/" + clip) { $0.removeLast() }
        try expectRefusal(box, 65, [clip])
    }

    @Test func wrongDimensions() throws {
        try expectRefusal(sandbox(), 65, ["16"], ["train", "--config", "config.json", "--set", "model.input.rows=24"])
    }

    /// One clip among the others has frames of another size, or other channels.
    @Test func mixedShapes() throws {
        let box = try sandbox()
        try box.synthesize("larger", classes: 2, clips: 1, frames: 4, rows: 24, columns: 16)
        try box.write("data/right/zz.bin", try box.bytes("larger/right/000.bin"))
        try expectRefusal(box, 65, ["right/zz.bin", "expected frames of 16x16 (rows x columns), found 24x16"])
        try box.remove("data/right/zz.bin")
        let header = "{'descr': '|u1', 'fortran_order': False, 'shape': (4, 1, 16, 16), }"
        let padded = header + String(repeating: " ", count: 128 - 10 - header.count - 1) + "\n"
        try box.write(
            "data/right/grey.npy",
            [0x93] + Array("NUMPY".utf8) + [1, 0, 118, 0] + Array(padded.utf8) + [UInt8](repeating: 9, count: 4 * 16 * 16))
        try expectRefusal(box, 65, ["right/grey.npy", "expected 3 channels, found 1"])
        #expect(!box.exists("runs"))
    }

    @Test func npyOfObjects() throws {
        let box = try sandbox()
        let header = "{'descr': '|O', 'fortran_order': False, 'shape': (4, 3, 16, 16), }"
        let padded = header + String(repeating: " ", count: 128 - 10 - header.count - 1) + "\n"
        try box.write("data/right/objects.npy", [0x93] + Array("NUMPY".utf8) + [1, 0, 118, 0] + Array(padded.utf8))
        try expectRefusal(box, 65, ["objects.npy", "object"])
    }

    @Test func nanInAFloatClip() throws {
        let box = try sandbox()
        let header = "{'descr': '<f4', 'fortran_order': False, 'shape': (4, 3, 16, 16), }"
        let padded = header + String(repeating: " ", count: 128 - 10 - header.count - 1) + "\n"
        var values = [Float](repeating: 1, count: 4 * 3 * 16 * 16)
        values[777] = .nan
        let payload = values.withUnsafeBytes { Data($0) }
        try box.write("data/right/nan.npy", [0x93] + Array("NUMPY".utf8) + [1, 0, 118, 0] + Array(padded.utf8) + payload)
        try expectRefusal(box, 65, ["nan.npy", "777"])
    }

    @Test func textNamedAsAVideo() throws {
        let box = try sandbox()
        try box.write("data/right/text.mp4", text: "not a video")
        try expectRefusal(box, 65, ["text.mp4"])
    }

    @Test func unknownKeyNamesPathLineAndNearestWord() throws {
        let box = try sandbox()
        try box.write("config.json", text: TrainedModel.config.replacingOccurrences(of: "batch_size", with: "batchsize"))
        try expectRefusal(box, 65, ["config.json", "training.batchsize", "batch_size", ":5:"])
    }

    @Test func wrongType() throws {
        try expectRefusal(sandbox(), 65, ["training.epochs"], ["train", "--config", "config.json", "--set", "training.epochs=many"])
    }

    @Test func zeroFrames() throws {
        try expectRefusal(sandbox(), 65, ["model.input.frames"], ["train", "--config", "config.json", "--set", "model.input.frames=0"])
    }

    @Test func frameTooSmallForThePools() throws {
        try expectRefusal(
            sandbox(), 65, ["16"],
            ["train", "--config", "config.json", "--set", "model.cnn.architecture=vgg16", "--set", "model.cnn.weights=null"])
    }

    @Test func missingImageNetWeightsNameTheTwoWays() throws {
        let box = try sandbox()
        try box.synthesize("larger", classes: 2, clips: 4, frames: 4, size: 32)
        try expectRefusal(
            box, 66, ["weights fetch vgg16", "weights import"],
            [
                "train", "--config", "config.json", "--set", "model.cnn.architecture=vgg16", "--set", "model.cnn.weights=imagenet", "--set",
                "model.input.rows=32", "--set", "model.input.columns=32", "--set", "data.path=larger",
            ], environment: ["XDG_CACHE_HOME": box.path + "/cache", "HOME": box.path])
    }

    @Test func classesOfCheckpointAndDataDiffer() throws {
        let box = try sandbox()
        try box.succeed("train", "--config", "config.json", "--quiet")
        try box.makeFolder("other")
        try FileManager.default.copyItem(atPath: box.path + "/data/right", toPath: box.path + "/other/wrong")
        try expectRefusal(box, 65, ["wrong"], ["eval", "--data", "other"])
    }

    @Test func unwritableOutputFolder() throws {
        let box = try sandbox()
        try box.write("blocked", text: "a file in the way")
        try expectRefusal(box, 74, ["blocked"], ["train", "--config", "config.json", "--set", "output.directory=blocked"])
    }

    @Test(arguments: [
        [], ["train"], ["train", "--config", "config.json", "--threads", "0"], ["predict"], ["dance"], ["eval", "--split", "none"],
    ])
    func wrongUsage(arguments: [String]) throws {
        let box = try sandbox()
        let result = try CommandLineTool.run(arguments, in: box.path)
        #expect(result.status == (arguments.isEmpty ? 0 : 64))
    }

    @Test func refusedTrainingLeavesNoRun() throws {
        let box = try sandbox()
        try corrupt(box, "data/" + firstClip(box)) { $0.removeLast() }
        _ = try box.run("train", "--config", "config.json")
        #expect(!box.exists("runs/train"))
    }
}
