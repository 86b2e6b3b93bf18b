import Foundation
import Testing
import VidTestSupport

/// `training.memory_gib` is kept: the process never has more resident, and a training that doesn't fit is refused before it starts.
@Suite struct MemoryLimitTests {
    /// VGG16 trained on 64 frames, with all, some and hardly any activations kept.
    @Test(.disabled(if: Sanitizer.isOn, "\(Sanitizer.reason)"), arguments: [2.2, 1.6, 1.2])
    func aStepKeepsWithinIt(_ gibibytes: Double) throws {
        let result = try TestFolder().run(
            "bench", "step", "--frames", "8", "--batch", "8", "--size", "112", "--memory-gib", "\(gibibytes)", "--json")
        try #require(result.status == 0, "\(result.errors)")
        let document = try #require(try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any])
        let (peak, planned) = (try #require(document["peak_rss_bytes"] as? Int), try #require(document["planned_bytes"] as? Int))
        #expect(Double(peak) <= gibibytes * 0x1p30)
        #expect(peak <= planned && Double(planned) <= gibibytes * 0x1p30)
        // The plan is not far above the real need.
        #expect(Double(peak) >= 0.85 * Double(planned))
        let repeated = try #require(document["repeated_forward"] as? Double)
        #expect((repeated == 0) == (gibibytes == 2.2), "\(repeated)")
    }

    @Test func tooLittleIsRefusedWithWhatItTakes() throws {
        let box = try TestFolder()
        #expect(
            try box.run("synth", "data", "--classes", "2", "--clips-per-class", "3", "--frames", "4", "--rows", "64", "--columns", "64")
                .status == 0)
        try box.write(
            "config.json",
            text: """
                { "model": { "input": { "frames": 4, "rows": 64, "columns": 64 }, "cnn": { "weights": null, "trainable": true } },
                  "data": { "path": "data" }, "training": { "epochs": 1, "memory_gib": 0.5 } }
                """)
        let result = try box.run("train", "--config", "config.json")
        #expect(result.status == 65)
        #expect(result.errors.contains("training.memory_gib allows 0.5") && result.errors.contains("GiB of memory, but"))
        #expect(!box.exists("runs"))
    }

    /// The user allows 8 GiB, but the system refuses to give them.
    @Test(.disabled(if: Sanitizer.isOn, "\(Sanitizer.reason)")) func memoryThatRunsOutIsAnError() throws {
        let box = try TestFolder()
        let result = try CommandLineTool.run(
            ["bench", "step", "--frames", "8", "--batch", "8", "--size", "112", "--memory-gib", "8"], in: box.path,
            addressSpace: 1_200_000)
        #expect(result.status == 1 && result.errors.contains("out of memory: "), "\(result.status) \(result.errors)")
    }
}
