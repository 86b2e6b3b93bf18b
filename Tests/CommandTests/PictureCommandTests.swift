import Foundation
import Testing
import VidSystem
import VidTestSupport

/// Folders of numbered pictures, from `check` to `predict`.
@Suite struct PictureCommandTests {
    private let box: TestFolder

    init() throws { box = try TestFolder() }

    /// A bitmap of 16 x 16 pixels with a bright square at `place`.
    static func bitmap(_ place: Int) -> [UInt8] {
        func number(_ value: Int) -> [UInt8] { LittleEndian.bytes(UInt32(value)) }
        let pixels = (0..<256).flatMap { at -> [UInt8] in
            let isBright = (place..<place + 4).contains(at % 16) && (4..<8).contains(at / 16)
            return isBright ? [250, 240, 230] : [10, UInt8(at), 30]
        }
        return Array("BM".utf8) + number(54 + 768) + number(0) + number(54) + number(40) + number(16) + number(16) + [1, 0, 24, 0]
            + number(0) + number(768) + number(0) + number(0) + number(0) + number(0) + pixels
    }

    /// Two classes with six clips each: a square that moves to the right or to the left.
    private func writeData() throws {
        for clip in 0..<6 {
            for frame in 0..<4 {
                let place = clip % 3 + 2 * frame
                try box.write("data/right/\(clip)/f\(frame + 8).bmp", Self.bitmap(place))
                try box.write("data/left/\(clip)/f\(frame + 8).bmp", Self.bitmap(12 - place))
            }
        }
    }

    @Test func fromFoldersToPredictions() throws {
        try writeData()
        try box.remove("data/left/3/f9.bmp")
        let check = try box.succeed("check", "data", "--no-cache")
        let words = check.output.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        #expect(words.contains("folders of BMP pictures"), "\(check.output)")
        #expect(words.contains("left/3: number 9 is missing"), "\(check.output)")
        try box.write(
            "config.json",
            text: """
                { "model": { "input": { "frames": 4, "rows": 16, "columns": 16 },
                             "cnn": { "architecture": { "blocks": [[2]] }, "weights": null, "trainable": true },
                             "recurrent": [ { "type": "lstm", "units": 2 } ], "hidden": [] },
                  "data": { "path": "data", "preprocessing": "symmetric", "leak_check": "off" }, "training": { "epochs": 1 } }
                """)
        try box.succeed("train", "--config", "config.json", "--quiet")

        // Packed, they are the same clips.
        try box.succeed("pack", "data", "packed", "--frames", "0", "--rows", "16", "--columns", "16", "--fps", "25")
        func scores(_ input: String, _ options: String...) throws -> [String] {
            let result = try CommandLineTool.run(["predict", input, "--format", "csv"] + options, in: box.path)
            #expect(result.status == 0, "\(result.errors)")
            return result.output.split(separator: "\n").dropFirst().map { $0.split(separator: ",").dropFirst().joined(separator: ",") }
        }
        #expect(try scores("data").count == 12)
        #expect(try scores("data") == scores("packed"))
        #expect(try scores("data/right/2") == scores("packed/right/2.bin"))
        #expect(try scores("data/right/2/") == scores("packed/right/2.bin"))

        // Windows need a rate.
        let unknown = try box.run("predict", "data/right/2", "--window", "0.08")
        #expect(unknown.status == 65 && unknown.errors.contains("data.frame_folder_fps"), "\(unknown.errors)")
        #expect(try scores("data/right/2", "--window", "0.08", "--fps", "25") == scores("packed/right/2.bin", "--window", "0.08"))

        let inspected = try box.succeed("inspect", "data/left/3", "--fps", "5", "--json")
        let document = try JSONParser.parse(Array(inspected.output.utf8))
        #expect(document["format"]?.stringValue == "bmp" && document["frames"]?.integerValue == 3)
        #expect(document["frames_per_second"]?.doubleValue == 5 && document["missing"]?.stringValue == "number 9 is missing")
    }

    @Test func photosAreNoClips() throws {
        for name in ["cat/IMG_1.bmp", "cat/IMG_2.bmp", "dog/IMG_1.bmp", "dog/IMG_9.bmp"] { try box.write("data/" + name, Self.bitmap(2)) }
        let result = try box.run("check", "data")
        #expect(result.status == 65 && result.errors.contains("is a single clip, a folder of 2 numbered pictures"), "\(result.errors)")
    }
}
