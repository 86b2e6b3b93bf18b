import Foundation
import Testing
import VidSystem
import VidTestSupport

/// The MPI on this machine.
enum MPI {
    private static let mpirun = ChildProcess.installed("mpirun")

    /// Whether there are Open MPI and the plug-in (Scripts/mpi_plugin.sh).
    static let isThere: Bool = {
        guard mpirun != nil, let folder = try? TestFolder(), let result = try? folder.run("doctor") else { return false }
        return result.output.contains("Open MPI") && !result.output.contains("no plug-in")
    }()

    /// The words that start `ranks` processes on this machine.
    ///
    /// - Parameter endsAll: whether a rank that fails ends the others. mpirun then waits for a second after each signal that it sends.
    static func words(_ ranks: Int, endsAll: Bool = true) -> [String] {
        let setting = endsAll ? ["odls_base_sigkill_timeout", "1"] : ["orte_abort_on_non_zero_status", "0"]
        return [mpirun ?? "mpirun", "--allow-run-as-root", "--oversubscribe", "--mca"] + setting + ["-n", "\(ranks)"]
    }
}

/// Commands that several processes of mpirun work on together.
@Suite(.serialized, .enabled(if: MPI.isThere, "there is no mpirun of Open MPI, or no plug-in for it"))
struct ClusterCommandTests {
    private func ranks(_ ranks: Int) -> [String] { MPI.words(ranks) }

    private func run(
        _ ranks: Int, _ words: String..., in box: TestFolder, environment: [String: String?] = [:]
    ) throws -> CommandLineTool.Result {
        try CommandLineTool.run(
            words, in: box.path, environment: environment, through: ranks > 1 ? self.ranks(ranks) : [])
    }

    /// Everything that is random or depends on a batch.
    private static func config(trainable: String, shards: Int, epochs: Int = 3) -> String {
        """
        { "seed": 5,
          "model": { "input": { "frames": 4, "rows": 16, "columns": 16 },
                     "cnn": { "architecture": { "blocks": [[4], [8]] }, "weights": null, "trainable": \(trainable) },
                     "recurrent": [ { "type": "batch_normalization", "momentum": 0.9 }, { "type": "lstm", "units": 8, "dropout": 0.2 } ],
                     "hidden": [ { "type": "dense", "units": 8 }, { "type": "dropout", "rate": 0.3 } ] },
          "optimizer": { "gradient_accumulation_steps": 2, "clip_norm": 1 },
          "data": { "path": "data", "validation_split": 0.25, "preprocessing": "symmetric" },
          "augmentation": { "horizontal_flip": 0.5, "mixup": 0.2 },
          "training": { "epochs": \(epochs), "batch_size": 6, "shards": \(shards), "save_every_minutes": 0 } }
        """
    }

    private func box(trainable: String = "true", shards: Int = 4, epochs: Int = 3) throws -> TestFolder {
        try TestFolder(config: Self.config(trainable: trainable, shards: shards, epochs: epochs), classes: 3, clips: 8, frames: 6)
    }

    @Test(arguments: ["true", "false", "\"block2_conv1\""]) func anyRanksTrainTheSameFiles(trainable: String) throws {
        let box = try box(trainable: trainable)
        try box.succeed("train", "--config", "config.json", "--no-cache", "--quiet")
        let expected = try box.trained("runs/train")
        let page = try box.bytes("runs/train/predictions.csv")
        for ranks in 2...4 {
            try FileManager.default.removeItem(atPath: box("runs"))
            let result = try run(ranks, "train", "--config", "config.json", "--no-cache", "--threads", "1", in: box)
            #expect(result.status == 0, "\(result.errors)")
            #expect(result.errors.contains("cluster: \(ranks) ranks on one machine"))
            let found = try box.trained("runs/train")
            #expect(found.keys.sorted() == expected.keys.sorted())
            for (name, bytes) in expected { #expect(found[name] == bytes, "\(name) of \(ranks) ranks") }
            #expect(try box.bytes("runs/train/predictions.csv") == page)
            #expect(try box.leftovers("runs/train") == [])
        }
    }

    /// The variables are those of MPICH's mpirun, whose processes Open MPI does not connect.
    @Test func theLauncherOfAnotherMPIIsRefused() throws {
        let box = try box()
        let result = try box.run(
            "train", "--config", "config.json", "--quiet", environment: ["PMI_RANK": "0", "PMI_SIZE": "3"])
        #expect(result.status == 1, "\(result.errors)")
        #expect(result.errors.contains("3 processes, but the plug-in's MPI connects 1"), "\(result.errors)")
        #expect(!FileManager.default.fileExists(atPath: box("runs")))
    }

    @Test func aKilledRankEndsAllAndTheRunIsResumedOnAnyNumber() throws {
        let box = try box(epochs: 30)
        try box.succeed("train", "--config", "config.json", "--no-cache", "--quiet")
        let expected = try box.trained("runs/train")
        try FileManager.default.removeItem(atPath: box("runs"))
        for (number, ranks) in [(0, 4), (1, 2), (2, 3)] {
            let words = number == 0 ? ["train", "--config", "config.json"] : ["train", "--resume", "runs/train"]
            let process = try CommandLineTool.start(words + ["--no-cache", "--threads", "1"], in: box.path, through: self.ranks(ranks))
            // In the middle of some epoch.
            let epochs = 4 * (number + 1)
            var waited = 0
            while waited < 60_000, try !box.exists("runs/train/results.csv") || lines(box) < epochs {
                (waited, _) = (waited + 20, usleep(20_000))
            }
            let children = try Self.ranks(of: process.processIdentifier)
            #expect(children.count == ranks)
            kill(children[number % children.count], SIGKILL)
            let start = Date()
            process.waitUntilExit()
            #expect(process.terminationStatus != 0)
            #expect(Date().timeIntervalSince(start) < 30)
        }
        let resumed = try run(1, "train", "--resume", "runs/train", "--no-cache", in: box)
        #expect(resumed.status == 0, "\(resumed.errors)")
        let found = try box.trained("runs/train")
        for (name, bytes) in expected { #expect(found[name] == bytes, "\(name)") }
    }

    private func lines(_ box: TestFolder) throws -> Int { try box.bytes("runs/train/results.csv").count { $0 == UInt8(ascii: "\n") } }

    /// The processes that mpirun has started, by rank.
    private static func ranks(of launcher: Int32) throws -> [Int32] {
        try FileManager.default.contentsOfDirectory(atPath: "/proc").compactMap { Int32($0) }.sorted().filter { process in
            guard let status = try? String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8) else { return false }
            return status.contains("PPid:\t\(launcher)\n") && status.hasPrefix("Name:\tvidclass\n")
        }
    }

    @Test func sigtermSavesAndTheRunIsResumed() throws {
        let box = try box(epochs: 100_000)
        let process = try CommandLineTool.start(
            ["train", "--config", "config.json", "--no-cache", "--threads", "1"], in: box.path, through: MPI.words(2, endsAll: false))
        var waited = 0
        while waited < 60_000, try !box.exists("runs/train/results.csv") || lines(box) < 4 { (waited, _) = (waited + 20, usleep(20_000)) }
        // As Slurm and mpirun do it. (This mpirun itself has inherited a mask that blocks signals.)
        for rank in try Self.ranks(of: process.processIdentifier) { kill(rank, SIGTERM) }
        process.waitUntilExit()
        let record = String(decoding: try box.bytes("runs/train/run.json"), as: UTF8.self)
        #expect(record.contains("\"stop_reason\": \"signal\""), "\(record)")
        // The header is a line, too.
        let length = "training.epochs=\(try lines(box) + 1)"
        let resumed = try run(3, "train", "--resume", "runs/train", "--set", length, "--no-cache", "--threads", "1", in: box)
        #expect(resumed.status == 0, "\(resumed.errors)")
        let found = try box.trained("runs/train")
        try FileManager.default.removeItem(atPath: box("runs"))
        try box.succeed("train", "--config", "config.json", "--set", length, "--no-cache", "--quiet")
        for (name, bytes) in try box.trained("runs/train") { #expect(found[name] == bytes, "\(name)") }
    }

    @Test func predictAndEvalGiveTheSameResults() throws {
        let box = try box()
        try box.succeed("train", "--config", "config.json", "--no-cache", "--quiet")
        let words = ["predict", "data", "missing.bin", "--format", "csv"]
        let alone = try CommandLineTool.run(words, in: box.path)
        let shared = try CommandLineTool.run(words + ["--threads", "1"], in: box.path, through: ranks(3))
        #expect(alone.status == 65 && shared.status == 65, "\(shared.errors)")
        #expect(alone.output == shared.output)
        #expect(shared.errors.contains("missing.bin"))
        let evaluated = try run(1, "eval", "--json", "--no-report", "--no-cache", in: box)
        let together = try run(3, "eval", "--json", "--no-report", "--no-cache", "--threads", "1", in: box)
        #expect(together.status == 0, "\(together.errors)")
        #expect(evaluated.output == together.output)
    }

    @Test func errorsAreToldOnceWithRankAndHost() throws {
        let box = try box()
        // Rank 1 works in a folder of its own, where a clip has other content.
        let other = try TestFolder()
        try FileManager.default.copyItem(atPath: box("data"), toPath: other("data"))
        try FileManager.default.copyItem(atPath: box("config.json"), toPath: other("config.json"))
        let clip = try #require(try FileManager.default.subpathsOfDirectory(atPath: other("data")).sorted().last { $0.hasSuffix(".bin") })
        let script = "[ \"$OMPI_COMM_WORLD_RANK\" = 1 ] && cd \(other.path); exec \"$@\""
        func result() throws -> CommandLineTool.Result {
            try CommandLineTool.run(
                ["train", "--config", "config.json", "--no-cache", "--threads", "1"], in: box.path,
                through: ranks(2) + ["/bin/sh", "-c", script, "sh"])
        }
        var bytes = try other.bytes("data/" + clip)
        bytes[bytes.count / 2] ^= 1
        try other.write("data/" + clip, bytes)
        let changed = try result()
        #expect(changed.status == 65)
        #expect(changed.errors.components(separatedBy: "vidclass: error:").count == 2, "\(changed.errors)")
        #expect(changed.errors.contains("rank 1 ("))
        #expect(changed.errors.contains("is not the file that rank 0 has"))
        try other.remove("data/" + clip)
        let missing = try result()
        #expect(missing.status == 66)
        #expect(missing.errors.components(separatedBy: "vidclass: error:").count == 2, "\(missing.errors)")
        #expect(missing.errors.contains("rank 1 ("))
    }

    /// Ranks of which one would choose other kernels by itself.
    @Test func kernelsMustBeEqualOrCommon() throws {
        let box = try box(epochs: 1)
        let words = ["train", "--config", "config.json", "--no-cache", "--threads", "1"]
        let script = "[ \"$OMPI_COMM_WORLD_RANK\" = 1 ] && export OPENBLAS_CORETYPE=NEHALEM; exec \"$@\""
        let launcher = ranks(2) + ["/bin/sh", "-c", script, "sh"]
        let refused = try CommandLineTool.run(words, in: box.path, through: launcher)
        #expect(refused.status == 1)
        #expect(refused.errors.lowercased().contains("computes with the openblas kernel nehalem"), "\(refused.errors)")
        #expect(!box.exists("runs"))
        let common = try CommandLineTool.run(words + ["--cluster-kernels", "common"], in: box.path, through: ranks(2))
        #expect(common.status == 0, "\(common.errors)")
        let found = try box.trained("runs/train")
        try FileManager.default.removeItem(atPath: box("runs"))
        let alone = try CommandLineTool.run(words, in: box.path, environment: ["VIDCLASS_KERNELS": "avx2"])
        #expect(alone.status == 0, "\(alone.errors)")
        for (name, bytes) in try box.trained("runs/train") { #expect(found[name] == bytes, "\(name)") }
    }

    @Test func otherCommandsAndAMissingPlugInAreRefused() throws {
        let box = try box()
        let check = try run(2, "check", "data", in: box)
        #expect(check.status == 64)
        #expect(check.errors.contains("share out only train, eval and predict"))
        #expect(check.errors.components(separatedBy: "vidclass: error:").count == 2, "\(check.errors)")
        let broken = try run(
            2, "train", "--config", "config.json", in: box, environment: ["VIDCLASS_MPI_PLUGIN": "/nowhere/plugin.so"])
        #expect(broken.status != 0)
        #expect(broken.errors.contains("/nowhere/plugin.so: the plug-in cannot be loaded"))
        #expect(!box.exists("runs"))
        let alone = try run(
            2, "train", "--config", "config.json", "--set", "output.directory=alone", "--cluster", "none", "--dry-run", in: box)
        #expect(alone.status == 0, "\(alone.errors)")
    }
}
