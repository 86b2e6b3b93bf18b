import Foundation
import Testing
import VidSystem
import VidTestSupport

/// Run folders that somebody else has prepared, locked, moved or damaged.
@Suite struct RunFolderTests {
    private func expectOneError(
        _ result: CommandLineTool.Result, _ status: Int32, _ word: String, sourceLocation: SourceLocation = #_sourceLocation
    ) {
        #expect(result.status == status, "\(result.errors)", sourceLocation: sourceLocation)
        let errors = result.errors.split(separator: "\n").filter { $0.hasPrefix("vidclass: error: ") }
        #expect(errors.count == 1 && errors.first?.contains(word) == true, "\(word) in: \(result.errors)", sourceLocation: sourceLocation)
    }

    // MARK: - Links

    /// Neither a resumed training nor a new one in the same folder writes through a link in the run's folder.
    @Test(arguments: ["weights", "weights/nothing", ".lock"]) func linksInARunsFolderAreNotWrittenThrough(_ kind: String) throws {
        let tiny = try TinyTraining()
        _ = try tiny.whole()
        let (box, run) = (tiny.box, tiny.box("runs/train"))
        try box.makeFolder("elsewhere")
        try box.write("elsewhere/.vidclass-1-1.tmp", text: "mine")
        switch kind {
        case "weights":
            for name in try box.names("runs/train/weights") {
                try FileManager.default.copyItem(atPath: run + "/weights/" + name, toPath: box("elsewhere/" + name))
            }
            try box.remove("runs/train/weights")
            try FileManager.default.createSymbolicLink(atPath: run + "/weights", withDestinationPath: box("elsewhere"))
        case ".lock":
            try box.remove("runs/train/.lock")
            try FileManager.default.createSymbolicLink(atPath: run + "/.lock", withDestinationPath: box("elsewhere/made"))
        default:
            try box.remove("runs/train/weights")
            try FileManager.default.createSymbolicLink(atPath: run + "/weights", withDestinationPath: box("elsewhere/missing"))
        }
        let before = try box.names("elsewhere")
        let place = kind == ".lock" ? ".lock" : "runs/train/weights"
        if kind != "weights/nothing" {
            expectOneError(try tiny.run(TinyTraining.resuming + ["--set", "training.epochs=5"]), 74, place)
        }
        expectOneError(
            try tiny.run(TinyTraining.words + ["--set", "output.exist_ok=true"]), 74, kind == "weights/nothing" ? "weights" : place)
        #expect(try box.names("elsewhere") == before)
        #expect(String(decoding: try box.bytes("elsewhere/.vidclass-1-1.tmp"), as: UTF8.self) == "mine")
        // It can still be read.
        if kind == "weights" {
            #expect(try box.run("predict", "data/left/000.bin", "--checkpoint", "runs/train/weights/best.safetensors").status == 0)
        }
    }

    /// A run's folder that is a link is treated as the links in it: it is read, but not written through.
    @Test func aRunsFolderThatIsALinkIsNotWrittenThrough() throws {
        let tiny = try TinyTraining()
        _ = try tiny.whole()
        let (box, files) = (tiny.box, FileManager.default)
        try files.moveItem(atPath: box("runs/train"), toPath: box("elsewhere"))
        try files.createSymbolicLink(atPath: box("runs/train"), withDestinationPath: box("elsewhere"))
        try box.remove("elsewhere/.lock")
        let before = try files.subpathsOfDirectory(atPath: box("elsewhere")).sorted()
        let last = try box.bytes("elsewhere/weights/last.safetensors")
        for path in ["runs/train", "runs/train/"] {
            expectOneError(
                try tiny.run(["train", "--resume", path, "--set", "training.epochs=5", "--quiet"]), 74, "name the folder itself, ")
        }
        expectOneError(try tiny.run(TinyTraining.words + ["--set", "output.exist_ok=true"]), 74, "runs/train")
        let evaluated = try box.run("eval", "--checkpoint", "runs/train/weights/best.safetensors", "--no-report")
        #expect(evaluated.status == 0, "\(evaluated.errors)")
        #expect(try box.run("eval", "--checkpoint", "runs/train/weights/best.safetensors").status == 74)
        #expect(try files.subpathsOfDirectory(atPath: box("elsewhere")).sorted() == before)
        #expect(try box.bytes("elsewhere/weights/last.safetensors") == last)
        // What the message says works.
        let resumed = try tiny.run(["train", "--resume", "elsewhere", "--set", "training.epochs=5", "--quiet"])
        #expect(resumed.status == 0, "\(resumed.errors)")
    }

    /// `eval` makes the report anew, but not the record of what the run was trained on.
    @Test func anEvaluationKeepsTheEnvironmentOfTheTraining() throws {
        let tiny = try TinyTraining()
        _ = try tiny.whole()
        let before = try tiny.box.bytes("runs/train/environment.json")
        let result = try tiny.box.run("eval", "--checkpoint", "runs/train/weights/best.safetensors", "--threads", "1", "--no-cache")
        #expect(result.status == 0, "\(result.errors)")
        #expect(try tiny.box.bytes("runs/train/environment.json") == before)
    }

    @Test func aFoldThatIsALinkIsNotWrittenThrough() throws {
        let tiny = try TinyTraining(training: #""epochs": 1, "batch_size": 4"#)
        try #require(try tiny.run(TinyTraining.words + ["--folds", "2"]).status == 0)
        let (box, files) = (tiny.box, FileManager.default)
        try files.moveItem(atPath: box("runs/train/fold2"), toPath: box("elsewhere"))
        try files.createSymbolicLink(atPath: box("runs/train/fold2"), withDestinationPath: box("elsewhere"))
        let before = try box.bytes("elsewhere/weights/last.safetensors")
        expectOneError(try tiny.run(TinyTraining.resuming + ["--set", "training.epochs=2"]), 74, "fold2")
        #expect(try box.bytes("elsewhere/weights/last.safetensors") == before)
    }

    /// A link in place of a run's file is replaced, and its target stays unchanged. A file that the user names is written through a link.
    @Test func onlyNamedOutputFollowsLinks() throws {
        let tiny = try TinyTraining()
        _ = try tiny.whole()
        let box = tiny.box
        let precious = try box.write("precious", text: "precious")
        let files = FileManager.default
        for name in ["runs/train/results.csv", "runs/train/report.html", "runs/train/run.json", "runs/train/weights/last.safetensors"] {
            try box.remove(name)
            try files.createSymbolicLink(atPath: box(name), withDestinationPath: precious)
        }
        let target = try box.write("target.png", text: "old")
        try files.createSymbolicLink(atPath: box("why.png"), withDestinationPath: target)
        #expect(try box.run("explain", "data/left/000.bin", "--output", "why.png").status == 0)
        #expect(try box.run("eval", "--no-cache").status == 0)
        // The training resumes from the state before the last one.
        #expect(try tiny.run(TinyTraining.resuming + ["--set", "training.epochs=4"]).status == 0)
        #expect(String(decoding: try box.bytes("precious"), as: UTF8.self) == "precious")
        #expect(try box.bytes("target.png").prefix(4) == [0x89, 0x50, 0x4E, 0x47])
        #expect(try files.destinationOfSymbolicLink(atPath: box("why.png")) == target)
        // A folder that is a link is the user's own choice.
        try box.makeFolder("there")
        try files.createSymbolicLink(atPath: box("here"), withDestinationPath: box("there"))
        #expect(try box.run("explain", "data/left/000.bin", "--output", "here").status == 0)
        #expect(try box.names("there") == ["000-explain.png"])
    }

    // MARK: - Locks

    @Test func twoTrainersOnOneFolderAndOneThatWasKilled() throws {
        let tiny = try TinyTraining(training: #""epochs": 1000000, "batch_size": 4, "save_every_minutes": null"#)
        let box = tiny.box
        let first = try CommandLineTool.start(TinyTraining.words, in: box.path)
        defer { kill(first.processIdentifier, SIGKILL) }
        try tiny.wait(for: "the first epochs") { try box.bytes("runs/train/results.csv").count > 200 }
        let inUse = "another vidclass is training in this folder"
        for words in [TinyTraining.resuming, TinyTraining.words + ["--set", "output.exist_ok=true"]] {
            expectOneError(try tiny.run(words), 75, inUse)
        }
        #expect(try box.run("runs").output.contains("running"))
        kill(first.processIdentifier, SIGKILL)
        first.waitUntilExit()
        #expect(box.exists("runs/train/.lock"))
        #expect(try box.run("runs").output.contains("crashed"))
        // Locks are never stale: the kernel released this one. The killed run's best epoch is in its record.
        let record = try #require(try JSONSerialization.jsonObject(with: Data(box.bytes("runs/train/run.json"))) as? [String: Any])
        let best = try #require(record["best_epoch"] as? Int)
        let lines = String(decoding: try box.bytes("runs/train/results.csv"), as: UTF8.self).split(separator: "\n").dropFirst()
        let accuracies = lines.map { Double($0.split(separator: ",", omittingEmptySubsequences: false)[5]) ?? -1 }
        #expect(lines.count >= best && record["state"] as? String == "running")
        #expect(record["best_value"] as? Double == accuracies[best - 1])
        // Only the epoch that it was killed in can be better.
        #expect(accuracies.dropLast().max() == accuracies[best - 1] || accuracies.last == accuracies.max())
        let resumed = try tiny.run(TinyTraining.resuming + ["--set", "training.epochs=\(lines.count + 1)"])
        #expect(resumed.status == 0, "\(resumed.errors)")
    }

    /// The folder cannot be locked because of a folder in place of the lock.
    @Test func aLockThatCannotBeMade() throws {
        let tiny = try TinyTraining()
        try tiny.box.makeFolder("runs/train/.lock")
        expectOneError(try tiny.run(TinyTraining.words + ["--set", "output.exist_ok=true"]), 74, ".lock")
    }

    /// The file system has no locks (simulated with strace).
    @Test(.enabled(if: ChildProcess.installed("strace") != nil, "strace is not installed: failing locks are not tested"))
    func aFileSystemWithoutLocks() throws {
        let tiny = try TinyTraining()
        let strace = try #require(ChildProcess.installed("strace"))
        let result = try tiny.run(through: [strace, "-f", "-qq", "-o", "/dev/null", "-e", "trace=flock", "-e", "inject=flock:error=ENOLCK"])
        expectOneError(result, 74, "cannot be locked: No locks available")
    }

    // MARK: - Folders that cannot be written

    /// Runs a program as a user to whom permissions apply; they don't apply to root.
    private func asAnybody(_ box: TestFolder) throws -> [String]? {
        guard getuid() == 0 else { return [] }
        guard let setpriv = ChildProcess.installed("setpriv") else { return nil }
        let owned = ["chown", "-R", "65534:65534", box.path]
        let process = try Process.run(URL(fileURLWithPath: "/usr/bin/env"), arguments: owned)
        process.waitUntilExit()
        let launcher = [setpriv, "--reuid", "65534", "--regid", "65534", "--clear-groups"]
        // Other users may have no access to the tests' folders.
        let tried = try CommandLineTool.run(["--version"], in: box.path, through: launcher)
        return tried.status == 0 ? launcher : nil
    }

    @Test func unwritableFromTheStart() throws {
        let tiny = try TinyTraining()
        let expected = try tiny.whole()
        guard let launcher = try asAnybody(tiny.box) else { return print("not tested: nobody else can run vidclass here") }
        let run = tiny.box("runs/train")
        for place in ["", "/weights"] {
            chmod(run + place, 0o500)
            defer { chmod(run + place, 0o755) }
            expectOneError(try tiny.run(TinyTraining.resuming + ["--set", "training.epochs=5"], through: launcher), 74, "runs/train")
            expectOneError(try tiny.run(TinyTraining.words + ["--set", "output.exist_ok=true"], through: launcher), 74, "runs/train")
            for name in ["last.safetensors", "best.safetensors"] {
                #expect(try tiny.box.bytes("runs/train/weights/" + name) == expected[name], "\(name)")
            }
        }
        chmod(tiny.box("runs"), 0o500)
        defer { chmod(tiny.box("runs"), 0o755) }
        expectOneError(try tiny.run(through: launcher), 74, "runs/train")
    }

    /// The folder goes away during a training: the save fails, the state before stays, and with the folder back the resumed run
    /// ends with the same bytes.
    @Test(arguments: ["", "/weights"]) func readOnlyInMidRun(_ place: String) throws {
        let tiny = try TinyTraining(training: #""epochs": 80, "batch_size": 4"#)
        let box = tiny.box
        guard let launcher = try asAnybody(box) else { return print("not tested: nobody else can run vidclass here") }
        let process = try CommandLineTool.start(TinyTraining.words, in: box.path, through: launcher)
        try tiny.wait(for: "the first epochs") { try box.bytes("runs/train/results.csv").count > 200 }
        chmod(box("runs/train") + place, 0o500)
        process.waitUntilExit()
        #expect(process.terminationReason == .exit && process.terminationStatus == 74)
        chmod(box("runs/train") + place, 0o755)
        let resumed = try tiny.run(TinyTraining.resuming, through: launcher)
        #expect(resumed.status == 0, "\(resumed.errors)")
        // The temporary file that could not be removed before is gone now.
        #expect(try box.leftovers("runs/train") == [])
        let found = try box.trained("runs/train")
        let again = try TinyTraining(training: #""epochs": 80, "batch_size": 4"#)
        #expect(try again.whole() == found)
    }

    // MARK: - Another training's state

    /// A state of another architecture, other classes or other clips in the run's folder is refused with the difference; nothing is
    /// loaded or written.
    @Test(arguments: [
        ("model.recurrent.0.units=3", "model.recurrent"), ("data.path=others", "is not one of the 2 classes"), ("seed=9", "seed"),
    ])
    func aStateOfAnotherTrainingIsRefused(change: String, difference: String) throws {
        let tiny = try TinyTraining()
        _ = try tiny.whole()
        let box = tiny.box
        try box.makeFolder("others")
        try FileManager.default.copyItem(atPath: box("data/left"), toPath: box("others/left"))
        try FileManager.default.copyItem(atPath: box("data/right"), toPath: box("others/wrong"))
        let other = try tiny.run(TinyTraining.words + ["--set", change, "--set", "output.name=other"])
        try #require(other.status == 0, "\(other.errors)")
        for name in ["last", "previous"] {
            try box.write("runs/train/weights/\(name).safetensors", try box.bytes("runs/other/weights/last.safetensors"))
        }
        let files = ["config.json", "results.csv", "splits.csv", "run.json", "weights/last.safetensors", "weights/best.safetensors"]
        let before = try files.map { try box.bytes("runs/train/" + $0) }
        let refused = try tiny.run(TinyTraining.resuming + ["--set", "training.epochs=5"])
        expectOneError(refused, 65, difference)
        #expect(try files.map { try box.bytes("runs/train/" + $0) } == before)
        #expect(try box.leftovers("runs/train") == [])
    }

    // MARK: - A torn results.csv

    /// The line is dropped with a warning, and the run continues as if nothing had happened. (`ResultsFileTests` cuts at every byte.)
    @Test func aTornLastLineIsDropped() throws {
        let tiny = try TinyTraining()
        let expected = try tiny.whole()
        let (box, path) = (tiny.box, "runs/train/results.csv")
        let whole = try box.bytes(path)
        let start = try #require(whole.dropLast().lastIndex(of: UInt8(ascii: "\n"))) + 1
        let before = Array(whole[..<start])
        for end in [start, start + 1, start + 9, whole.count - 2, whole.count - 1] {
            try box.write(path, Array(whole[..<end]))
            let resumed = try tiny.run(TinyTraining.resuming)
            #expect(resumed.status == 0, "\(end): \(resumed.errors)")
            #expect(
                resumed.errors.contains("warning: runs/train/results.csv: only 2 of the 3 finished epochs have complete lines"),
                "\(end): \(resumed.errors)")
            #expect(try box.bytes(path) == before, "\(end)")
        }
        var found = try box.trained("runs/train")
        found["results.csv"] = expected["results.csv"]
        #expect(found == expected)
        // Later epochs keep their numbers.
        #expect(try tiny.run(TinyTraining.resuming + ["--set", "training.epochs=5"]).status == 0)
        for _ in 0..<2 {
            let lines = String(decoding: try box.bytes(path), as: UTF8.self).split(separator: "\n").dropFirst()
            let epochs = lines.compactMap { $0.split(separator: ",").first }
            #expect(epochs == ["1", "2", "4", "5"])
            #expect(try tiny.run(TinyTraining.resuming).status == 0)
        }
    }
}
