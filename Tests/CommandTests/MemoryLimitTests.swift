import Foundation
import Testing
import VidTestSupport

/// `training.memory_gib` is kept: the process never has more resident, and a training that doesn't fit is refused before it starts.
@Suite struct MemoryLimitTests {
    /// VGG16 trained on 32 frames, with all, some and hardly any activations kept.
    @Test(.disabled(if: Sanitizer.isOn, "\(Sanitizer.reason)"), arguments: [1.0, 0.9, 0.87])
    func aStepKeepsWithinIt(_ gibibytes: Double) throws {
        let result = try TestFolder().run(
            "bench", "step", "--frames", "4", "--batch", "8", "--size", "64", "--memory-gib", "\(gibibytes)", "--threads", "2", "--json")
        try #require(result.status == 0, "\(result.errors)")
        let document = try #require(try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any])
        let (peak, planned) = (try #require(document["peak_rss_bytes"] as? Int), try #require(document["planned_bytes"] as? Int))
        #expect(Double(peak) <= gibibytes * 0x1p30)
        #expect(peak <= planned && Double(planned) <= gibibytes * 0x1p30)
        // The plan is not far above the real need.
        #expect(Double(peak) >= 0.85 * Double(planned))
        let repeated = try #require(document["repeated_forward"] as? Double)
        #expect((repeated == 0) == (gibibytes == 1), "\(repeated)")
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

    /// Limits of the process: each ends a command with one error that names the limit, or leaves enough. OpenBLAS, which asks for a
    /// buffer again and again where it gets none, is not reached. (Below, the system cannot load the program's libraries.)
    @Test(
        .disabled(if: Sanitizer.isOn, "\(Sanitizer.reason)"),
        arguments: [
            ("-v", 409_600), ("-v", 500_000), ("-v", 600_000), ("-v", 4_000_000), ("-d", 65_536), ("-d", 98_304), ("-d", 1_000_000),
        ])
    func limitedMemoryIsEnoughOrAnError(_ option: String, _ kibibytes: Int) throws {
        let box = try TrainedModel.folder()
        let best = try TrainedModel.best()
        let clip = try #require(try box.names("data/left").first { $0.hasSuffix(".bin") })
        for command in [
            ["predict", "data/left/" + clip, "--checkpoint", best],
            ["explain", "data/left/" + clip, "--checkpoint", best, "--output", "why/"],
            ["eval", "--checkpoint", best, "--no-report", "--no-cache"], ["train", "--config", "config.json", "--dry-run", "--no-cache"],
            ["bench", "gemm"],
        ] {
            let result = try CommandLineTool.run(
                command + ["--threads", "2"], in: box.path,
                through: ["/usr/bin/timeout", "60", "/bin/sh", "-c", #"ulimit \#(option) \#(kibibytes) && exec "$0" "$@""#])
            let about: Comment = "\(command[0]) under \(option) \(kibibytes): \(result.status) \(result.errors)"
            #expect([0, 1, 65].contains(result.status), about)
            #expect((result.status == 0) == (kibibytes >= 1_000_000), about)
            if result.status != 0 {
                #expect(result.errors.contains("out of memory: ") || result.errors.contains("GiB of memory, but"), about)
                #expect(result.errors.contains("ulimit"), about)
                #expect(result.errors.split(separator: "\n").filter { $0.hasPrefix("vidclass: error: ") }.count == 1, about)
            }
        }
    }

    /// A stack that the libraries would overrun is refused before they run.
    @Test(.disabled(if: Sanitizer.isOn, "\(Sanitizer.reason)")) func aSmallStackIsAnError() throws {
        let box = try TrainedModel.folder()
        for (kibibytes, status) in [(64, Int32(1)), (256, 1), (1024, 0)] {
            let result = try CommandLineTool.run(
                ["eval", "--checkpoint", TrainedModel.best(), "--no-report", "--no-cache"], in: box.path,
                through: ["/bin/sh", "-c", #"ulimit -s \#(kibibytes) && exec "$0" "$@""#])
            #expect(result.status == status, "\(kibibytes): \(result.status) \(result.errors)")
            #expect((status == 0) != result.errors.contains("ulimit -s 8192"), "\(kibibytes): \(result.errors)")
        }
    }

    /// Too few open files for the children that read videos are refused before anything is opened; a low soft limit is raised.
    @Test func fewOpenFilesAreAnError() throws {
        let box = try TrainedModel.folder()
        let clip = try #require(try box.names("data/left").first { $0.hasSuffix(".bin") })
        let command = ["predict", "data/left/" + clip, "--checkpoint", try TrainedModel.best()]
        for files in [6, 8, 14, 20, 24, 64] {
            let result = try CommandLineTool.run(
                command, in: box.path, through: ["/bin/sh", "-c", #"ulimit -n \#(files) && exec "$0" "$@""#])
            #expect(
                result.status == 74 && result.output.isEmpty
                    && result.errors == "vidclass: error: the system lets this process open only \(files) files at a time, and vidclass "
                        + "needs 92. Raise the limit: ulimit -n 92, or as root in /etc/security/limits.conf\n",
                "\(files): \(result.status) \(result.errors)")
        }
        let soft = try CommandLineTool.run(command, in: box.path, through: ["/bin/sh", "-c", #"ulimit -S -n 14 && exec "$0" "$@""#])
        #expect(soft.status == 0, "\(soft.status) \(soft.errors)")
    }
}
