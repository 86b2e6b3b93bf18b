import Foundation
import Testing
import VidTensor
import VidTestSupport

/// `vidclass explain` as a user runs it.
@Suite struct ExplainCommandTests {
    private func sandbox(channels: Int = 3, shortClips: String = "loop", evaluationClips: Int = 1) throws -> TestFolder {
        let box = try TestFolder()
        try box.synthesize(classes: 3, clips: 6, frames: 4, size: 16)
        try box.write(
            "config.json",
            text: """
                { "seed": 3,
                  "model": { "input": { "frames": 4, "channels": \(channels), "rows": 16, "columns": 16 },
                             "cnn": { "architecture": { "blocks": [[4], [8]] }, "weights": null, "trainable": true },
                             "recurrent": [ { "type": "lstm", "units": 8 } ], "hidden": [] },
                  "data": { "path": "data", "validation_split": 0.25, "preprocessing": "symmetric", "short_clips": "\(shortClips)" },
                  "evaluation": { "clips": \(evaluationClips) },
                  "training": { "epochs": 1, "batch_size": 5 } }
                """)
        try box.succeed("train", "--config", "config.json")
        return box
    }

    private static let png: [UInt8] = [0x89, 0x50, 0x4E, 0x47]

    @Test func textSaysWhyAndThePictureIsThere() throws {
        let box = try sandbox()
        let result = try box.run("explain", "data/up/001.bin")
        #expect(result.status == 0, "\(result.errors)")
        #expect(result.output.contains("001-explain.png") && result.output.contains("What led to \""))
        #expect(result.output.contains("adds") && result.output.contains("share"))
        #expect(result.output.split(separator: "\n").filter { $0.contains(" s  ") }.count == 4, "\(result.output)")
        #expect(try box.bytes("001-explain.png").starts(with: Self.png))
        #expect(!box.exists("001-explain.gif"))
        // The same input gives the same bytes at any thread count.
        let before = try box.bytes("001-explain.png")
        #expect(try box.run("explain", "data/up/001.bin", "--threads", "1").status == 0)
        #expect(try box.bytes("001-explain.png") == before)
    }

    @Test func jsonHoldsWhatTheHelpSays() throws {
        let box = try sandbox(evaluationClips: 2)
        let result = try box.run(
            "explain", "data/up/001.bin", "data/left/002.bin", "--class", "left", "--against", "up", "--output", "why/not", "--format",
            "json")
        #expect(result.status == 0, "\(result.errors)")
        let documents = try #require(try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [[String: Any]])
        #expect(documents.count == 2)
        let first = try #require(documents.first)
        #expect(first["class"] as? String == "left" && first["against"] as? String == "up" && first["animation"] is NSNull)
        #expect(first["picture"] as? String == "why/not/001-explain.png" && box.exists("why/not/001-explain.png"))
        let samples = try #require(first["samples"] as? [[String: Any]])
        #expect(samples.count == 2)
        let frames = samples.flatMap { $0["frames"] as? [[String: Any]] ?? [] }
        #expect(frames.count == 8)
        let map = try #require(frames[0]["map"] as? [[Double]])
        #expect(map.count == 8 && map.allSatisfy { $0.count == 8 && $0.allSatisfy { $0 >= 0 } })
        #expect(frames[0]["frame"] as? Int == 0 && frames[1]["seconds"] as? Double == 0.125)
        let (score, baseline) = (try #require(first["score"] as? Double), try #require(first["baseline"] as? Double))
        let sum = frames.reduce(0) { $0 + ($1["contribution"] as? Double ?? .nan) }
        // The integral is a sum of 64 points.
        #expect(abs(sum - (score - baseline)) <= 1e-2 * max(0.01, abs(score - baseline)), "\(sum) for \(score) - \(baseline)")
        let shares = frames.map { $0["share"] as? Double ?? .nan }
        let sizes = frames.map { abs($0["contribution"] as? Double ?? .nan) }
        let (allShares, allSizes) = (shares.reduce(0, +), sizes.reduce(0, +))
        #expect(abs(allShares - 1) <= 1e-9)
        #expect(zip(shares, sizes).allSatisfy { abs($0 - $1 / allSizes) <= 1e-5 }, "\(shares) of \(sizes)")
        let predictions = try #require(first["predictions"] as? [[String: Any]])
        let predicted = try box.run("predict", "data/up/001.bin", "--format", "json")
        let other = try JSONSerialization.jsonObject(with: Data(predicted.output.utf8)) as? [[String: Any]]
        let expected = try #require(other?.first?["predictions"] as? [[String: Any]])
        #expect(predictions.map { $0["score"] as? Double } == expected.map { $0["score"] as? Double })
    }

    @Test func badInputsAndBadNamesAreSaid() throws {
        let box = try sandbox()
        try box.write("broken.bin", text: "no clip")
        let some = try box.run("explain", "broken.bin", "data/up/001.bin", "missing.bin")
        #expect(some.status == 65 && some.errors.contains("broken.bin") && some.errors.contains("missing.bin"))
        #expect(some.errors.contains("2 of 3 inputs could not be explained") && box.exists("001-explain.png"))
        #expect(try box.run("explain", "missing.bin").status == 66)

        let unknown = try box.run("explain", "data/up/001.bin", "--class", "sideways")
        #expect(unknown.status == 64 && unknown.errors.contains("sideways") && unknown.errors.contains("right, up"), "\(unknown.errors)")
        #expect(try box.run("explain", "data/up/001.bin", "--class", "up", "--against", "up").status == 64)
        #expect(try box.run("explain", "data/up/001.bin", "data/up/002.bin", "--output", "one.png").status == 64)
        #expect(try box.run("explain", "data/up/001.bin", "--output", "one.jpeg").status == 64)
        #expect(!box.exists("one.png") && !box.exists("one.jpeg"))

        let without = try box.run("explain", "data/up/001.bin", "--animation", environment: ["PATH": "/nowhere"])
        #expect(without.status == 66 && without.errors.contains("ffmpeg"), "\(without.errors)")
        #expect(!box.exists("001-explain.gif"))
    }

    @Test func anInputIsNotWrittenOver() throws {
        let box = try sandbox()
        let clip = try box.bytes("data/up/001.bin")
        try FileManager.default.createSymbolicLink(
            atPath: box.path + "/001-explain.png", withDestinationPath: box.path + "/data/up/001.bin")
        let result = try box.run("explain", "data/up/001.bin")
        #expect(result.status == 64 && result.errors.contains("is the input itself"), "\(result.errors)")
        #expect(try box.bytes("data/up/001.bin") == clip)
    }

    /// The animation of an earlier call is a GIF, which is also a clip: it may be an input of the next call.
    @Test func anotherInputIsNotWrittenOver() throws {
        let box = try sandbox()
        let other = try box.write("001-explain.gif", text: "a clip of its own")
        let result = try box.run("explain", "data/up/001.bin", other, "--animation")
        #expect(result.status == 65 && result.errors.contains("is another input"), "\(result.errors)")
        #expect(try box.bytes("001-explain.gif") == Array("a clip of its own".utf8))
        #expect(!box.exists("001-explain.png"))
    }

    @Test func clipsOfTheSameNameHavePicturesOfTheirOwn() throws {
        let box = try sandbox()
        try box.succeed("explain", "data/up/001.bin", "data/left/001.bin", "--output", "why/")
        #expect(box.exists("why/001-explain.png") && box.exists("why/001-explain-2.png"))
    }

    @Test func animationsAreMadeByTheirExtension() throws {
        guard FileManager.default.fileExists(atPath: "/usr/bin/ffmpeg") else { return }
        let box = try sandbox()
        #expect(try box.run("explain", "data/up/001.bin", "--animation").status == 0)
        #expect(try box.bytes("001-explain.gif").starts(with: Array("GIF89a".utf8)) && box.exists("001-explain.png"))
        #expect(try box.run("explain", "data/up/001.bin", "--output", "why.webp").status == 0)
        #expect(try box.bytes("why.webp").starts(with: Array("RIFF".utf8)) && !box.exists("why.png"))
        #expect(try box.run("explain", "data/up/001.bin", "--output", "why.png", "--animation").status == 0)
        #expect(box.exists("why.png") && box.exists("why.gif"))
    }

    @Test func oneChannelAndShortClipsAreExplained() throws {
        let box = try TestFolder()
        // Two grey clips of 2 frames for a model of 4, padding masked.
        for (label, value) in [("dark", UInt8(30)), ("light", UInt8(220))] {
            for number in 0..<5 {
                let pixels = (0..<2 * 16 * 16).map { UInt8(clamping: Int(value) + ($0 * 7 + number * 13) % 20) }
                let header = "{'descr': '|u1', 'fortran_order': False, 'shape': (2, 1, 16, 16), }"
                let padded = header + String(repeating: " ", count: 117 - header.utf8.count) + "\n"
                let bytes = [0x93] + Array("NUMPY".utf8) + [1, 0, 118, 0] + Array(padded.utf8) + pixels
                try FileManager.default.createDirectory(atPath: box.path + "/grey/\(label)", withIntermediateDirectories: true)
                try Data(bytes).write(to: URL(fileURLWithPath: box.path + "/grey/\(label)/\(number).npy"))
            }
        }
        try box.write(
            "config.json",
            text: """
                { "model": { "input": { "frames": 4, "channels": 1, "rows": 16, "columns": 16 },
                             "cnn": { "architecture": { "blocks": [[4]] }, "weights": null, "trainable": true, "pooling": "max" },
                             "recurrent": [ { "type": "gru", "units": 4, "bidirectional": true } ], "hidden": [] },
                  "data": { "path": "grey", "validation_split": 0.25, "preprocessing": "symmetric", "short_clips": "mask" },
                  "training": { "epochs": 1, "batch_size": 4 } }
                """)
        try #require(try box.run("train", "--config", "config.json").status == 0)
        let result = try box.run("explain", "grey/dark/1.npy", "--format", "json")
        #expect(result.status == 0, "\(result.errors)")
        let documents = try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [[String: Any]]
        let frames = (documents?.first?["samples"] as? [[String: Any]])?.first?["frames"] as? [[String: Any]]
        #expect(frames?.count == 2 && frames?.first?["seconds"] is NSNull && box.exists("1-explain.png"))
        #expect(try box.run("explain", "grey/dark/1.npy").output.contains("frame 2"))
    }
}
