import Foundation
import Testing
import VidTestSupport

/// `bench pipeline`: what it measures and what it refuses. Speed is not tested.
@Suite struct BenchPipelineTests {
    private static let config = """
        { "model": { "input": { "frames": 4, "rows": 16, "columns": 16 },
                     "cnn": { "architecture": { "blocks": [[4], [8]] }, "weights": null },
                     "recurrent": [ { "type": "lstm", "units": 8 } ], "hidden": [] },
          "data": { "path": "data", "preprocessing": "symmetric" } }
        """
    private static let parts = ["decode", "convert", "encode", "head", "write", "whole"].map { $0 + "_seconds" }

    private func document(_ result: CommandLineTool.Result) throws -> [String: Any] {
        try #require(result.status == 0, "\(result.errors)")
        return try #require(try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any])
    }

    /// The parts take some time, and the ratios are theirs.
    private func check(_ document: [String: Any], files: Int) throws {
        #expect(document["files"] as? Int == files && document["frames"] as? Int == 4 * files)
        let seconds = try Self.parts.map { try #require(document[$0] as? Double, "\($0)") }
        for (part, seconds) in zip(Self.parts, seconds) where part != "convert_seconds" { #expect(seconds > 0, "\(part)") }
        #expect(seconds[1] >= 0)
        let (byLonger, bySum) = (document["whole_by_longer"] as? Double ?? .nan, document["whole_by_sum"] as? Double ?? .nan)
        #expect(abs(byLonger - seconds[5] / max(seconds[0], seconds[2])) <= 1e-6 * byLonger)
        #expect(abs(bySum - seconds[5] / seconds[..<5].reduce(0, +)) <= 1e-6 * bySum)
    }

    @Test(.enabled(if: FFmpegProgram.isInstalled)) func videosOfItsOwn() throws {
        let box = try TestFolder()
        try box.write("config.json", text: Self.config)
        try box.makeFolder("temporary")
        let result = try box.run(
            "bench", "pipeline", "--config", "config.json", "--videos", "9", "--threads", "2", "--json",
            environment: ["TMPDIR": box("temporary")])
        try check(try document(result), files: 9)
        #expect(try box.names("temporary").isEmpty)
    }

    @Test func filesThatAreNamed() throws {
        let box = try TestFolder(config: Self.config, classes: 2, clips: 2)
        try check(try document(try box.run("bench", "pipeline", "data", "--config", "config.json", "--json")), files: 4)
        let text = try box.succeed("bench", "pipeline", "data", "--config", "config.json").output
        #expect(text.hasPrefix("4 files with 16 frames, ") && text.contains("times the longer of decode and encode"), "\(text)")

        let damaged = try box.write("data/damaged.bin", Array("no clip".utf8))
        let refused = try box.run("bench", "pipeline", damaged, "--config", "config.json")
        #expect(refused.status == 65 && refused.errors.contains("damaged.bin"), "\(refused.errors)")
    }

    @Test(arguments: [
        ["--checkpoint", "a.safetensors", "--set", "seed=2"], ["--videos", "0"], ["data", "--videos", "3"],
    ]) func refusedOptions(_ options: [String]) throws {
        let box = try TestFolder()
        let result = try CommandLineTool.run(["bench", "pipeline"] + options, in: box.path)
        #expect(result.status == 64, "\(result.errors)")
    }
}
