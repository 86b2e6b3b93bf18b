import Foundation
import Testing
import VidCheckpoint
import VidSystem
import VidTestSupport

/// Which model `eval`, `predict` and `explain` use if none is named, and whether `eval` trusts the run's splits.
@Suite struct ModelChoiceTests {
    /// A run as its files tell it, with a model, and an age: older runs have a smaller one.
    private func write(
        _ run: String, in box: TestFolder, age: Int, state: String? = "finished", accuracy: Double = 0.5, data: String = "data",
        hasValidation: Bool = true, model: [UInt8]
    ) throws {
        let folder = "runs/\(run)"
        try box.write("\(folder)/config.json", text: #"{"data": {"path": "\#(data)"}, "training": {"epochs": 4}}"#)
        if let state { try box.write("\(folder)/run.json", text: #"{"state": "\#(state)", "epochs": 2, "best_epoch": 1}"#) }
        let validation = hasValidation ? "1,\(accuracy)" : ","
        try box.write(
            "\(folder)/results.csv",
            text: "epoch,time,train/loss,train/categorical_accuracy,val/loss,val/categorical_accuracy,lr\n1,1,1,0.875,\(validation),1\n"
                + "2,2,1,1,\(hasValidation ? "2,0.1" : ","),1\n")
        try box.write("\(folder)/weights/best.safetensors", model)
        for name in ["config.json", "run.json", "results.csv"] where box.exists("\(folder)/\(name)") {
            try FileManager.default.setAttributes(
                [.modificationDate: Date(timeIntervalSince1970: 1e9 + Double(age))], ofItemAtPath: box("\(folder)/\(name)"))
        }
    }

    private func model() throws -> [UInt8] { [UInt8](try Data(contentsOf: URL(fileURLWithPath: TrainedModel.best()))) }

    private func box() throws -> TestFolder {
        let box = try TestFolder()
        try FileManager.default.copyItem(atPath: TrainedModel.folder()("data"), toPath: box("data"))
        return box
    }

    private func marked(_ box: TestFolder, _ directory: String...) throws -> [String] {
        let result = try CommandLineTool.run(["runs"] + directory + ["--json"], in: box.path)
        let runs = try #require(JSONParser.parse(Array(result.output.utf8)).arrayElements)
        return runs.filter { $0["default"]?.boolValue == true }.compactMap { $0["run"]?.stringValue }
    }

    private func use(_ box: TestFolder) throws -> CommandLineTool.Result {
        let label = try #require(try box.names("data").first { !$0.hasPrefix(".") })
        return try box.run("predict", "data/\(label)/000.bin")
    }

    @Test func theNewestFinishedRun() throws {
        let (box, model) = (try box(), try model())
        try write("old", in: box, age: 1, accuracy: 0.9, model: model)
        try write("new", in: box, age: 2, accuracy: 0.75, model: model)
        try write("stopped", in: box, age: 3, state: "interrupted", model: model)
        try write("dead", in: box, age: 4, state: "running", model: model)
        try write("torn", in: box, age: 5, model: Array(model.dropLast(50)))
        let result = try use(box)
        #expect(result.status == 0, "\(result.errors)")
        let lines = result.errors.split(separator: "\n").map(String.init)
        #expect(lines[0] == "using runs/new/weights/best.safetensors (validation accuracy 75.0 %, epoch 1 of 4)", "\(result.errors)")
        #expect(lines[1] == "note: it is the newest of 2 finished runs; `\(CommandLineTool.path) runs` lists all 5")
        #expect(lines[2].hasPrefix("note: runs/torn is newer, but its model is damaged: weights/best.safetensors: "))
        #expect(lines[3] == "note: runs/dead is newer, but ended unexpectedly")
        #expect(lines[4] == "note: runs/stopped is newer, but was interrupted")
        #expect(
            lines[5] == "note: runs/old, on the same data, is better (validation accuracy 90.0 %, epoch 1 of 4). To use it: --checkpoint "
                + "runs/old/weights/best.safetensors")
        #expect(lines.count == 6)
        for words in [["eval", "--split", "all", "--no-report", "--no-cache"], ["explain", "data", "--output", "why/"]] {
            #expect(try CommandLineTool.run(words, in: box.path).errors.hasPrefix(lines[0]), "\(words)")
        }
        // `runs` tells the same, for its own folder only.
        #expect(try marked(box) == ["runs/new"])
        #expect(try marked(box, "./runs/") == ["./runs/new"])
        try FileManager.default.copyItem(atPath: box("runs"), toPath: box("others"))
        #expect(try marked(box, "others") == [])
        let text = try box.run("runs").output
        #expect(text.contains("new *") && text.contains("* eval, predict and explain use this run") && !text.contains("old *"), "\(text)")
    }

    @Test func noRivalOfOtherDataOrOfASmallLead() throws {
        let (box, model) = (try box(), try model())
        try write("close", in: box, age: 1, accuracy: 0.79, model: model)
        try write("elsewhere", in: box, age: 2, accuracy: 1, data: "other", model: model)
        try write("unfinished", in: box, age: 3, state: "failed", accuracy: 1, model: model)
        try write("new", in: box, age: 4, accuracy: 0.75, model: model)
        let errors = try use(box).errors
        #expect(errors.contains("runs/new/weights") && !errors.contains("better") && errors.contains("3 finished runs"), "\(errors)")
    }

    @Test func withoutAFinishedRunTheNewestWithAModel() throws {
        let (box, model) = (try box(), try model())
        try write("failed", in: box, age: 1, state: "failed", model: model)
        try write("stopped", in: box, age: 2, state: "interrupted", hasValidation: false, model: model)
        try write("bare", in: box, age: 3, state: "interrupted", model: [])
        try box.remove("runs/bare/weights/best.safetensors")
        let result = try use(box)
        #expect(result.status == 0, "\(result.errors)")
        let lines = result.errors.split(separator: "\n").map(String.init)
        #expect(
            lines[0] == "using runs/stopped/weights/best.safetensors (training accuracy 87.5 %, epoch 1 of 4; it had no validation clips)")
        #expect(lines[1] == "note: no run is finished; this one was interrupted")
        #expect(lines[2] == "note: it is the newest with a model; `\(CommandLineTool.path) runs` lists all 3")
        #expect(lines[3] == "note: runs/bare is newer, but was interrupted")
        #expect(try marked(box) == ["runs/stopped"])
    }

    @Test func noModelAtAll() throws {
        let (box, model) = (try box(), try model())
        let none = try use(box)
        #expect(none.status == 66 && none.errors.contains("runs: no run here"), "\(none.errors)")
        // Folds are named, not chosen.
        try box.write("runs/cv/config.json", text: "{}")
        try box.write("runs/cv/folds.json", text: #"{"folds": 2}"#)
        try write("cv/fold1", in: box, age: 1, model: model)
        let folds = try use(box)
        #expect(folds.status == 66 && folds.errors.contains("--checkpoint runs/cv/fold1/weights/best.safetensors"), "\(folds.errors)")
        #expect(try marked(box) == [])
        // A damaged one is said to be damaged.
        try write("torn", in: box, age: 2, model: Array(model.dropLast(50)))
        let torn = try use(box)
        #expect(torn.status == 65 && torn.errors.contains("runs/torn/weights/best.safetensors: "), "\(torn.errors)")
    }

    /// A run's folder stands for its best model; other things of a run are refused with the model to name.
    @Test func aRunInPlaceOfItsModel() throws {
        let (box, model) = (try box(), try model())
        try write("one", in: box, age: 1, model: model)
        let label = try #require(try box.names("data").first { !$0.hasPrefix(".") })
        let best = "runs/one/weights/best.safetensors"
        for path in ["runs/one", "runs/one/", "runs/one/weights"] {
            let result = try box.run("predict", "data/\(label)/000.bin", "--checkpoint", path)
            #expect(result.status == 0, "\(result.errors)")
        }
        for (path, found) in [
            ("runs/one/config.json", "another file of the run"), ("runs/one/results.csv", "another file of the run"),
            ("runs", "a folder of runs"),
        ] {
            for words in [["predict", "data/\(label)/000.bin", "--checkpoint", path], ["train", "data", "--from", path]] {
                let result = try CommandLineTool.run(words, in: box.path)
                #expect(result.status == 65, "\(words): \(result.errors)")
                #expect(
                    result.errors.contains("\(path): expected a checkpoint, such as runs/train/weights/best.safetensors, found \(found)\n")
                        && result.errors.contains("The best model of runs/one is \(best)\n"), "\(words): \(result.errors)")
            }
        }
        let other = try box.run("eval", "--checkpoint", "data")
        #expect(
            other.status == 65 && other.errors.contains("data: expected a checkpoint") && other.errors.contains("a folder without runs"))
        // Said before the evaluation.
        let taken = try box.run("eval", "--checkpoint", best, "--output", best)
        #expect(taken.status == 64 && taken.output.isEmpty, "\(taken.errors)")
        #expect(taken.errors.contains("expected a folder for the report, or a new name, found a file"), "\(taken.errors)")
    }

    // MARK: - The splits of the training

    /// A trained run in its own folder.
    private func trained() throws -> TestFolder {
        let box = try box()
        try FileManager.default.copyItem(atPath: TrainedModel.folder()("runs"), toPath: box("runs"))
        return box
    }

    private func eval(_ box: TestFolder, _ words: String...) throws -> CommandLineTool.Result {
        try CommandLineTool.run(["eval", "--no-cache"] + words, in: box.path)
    }

    @Test func editedSplitsAreRefused() throws {
        let box = try trained()
        let before = try eval(box, "--json", "--no-report")
        #expect(before.status == 0 && !before.errors.contains("splits"), "\(before.errors)")
        let splits = String(decoding: try box.bytes("runs/train/splits.csv"), as: UTF8.self)
        let swapped = splits.replacing(",train,", with: ",x,").replacing(",val,", with: ",train,").replacing(",x,", with: ",val,")
        try #require(swapped != splits)
        let report = try box.bytes("runs/train/report.html")
        try box.write("runs/train/splits.csv", text: swapped)
        for checkpoint in ["best", "last"] {
            let path = "runs/train/weights/\(checkpoint).safetensors"
            let refused = try eval(box, "--checkpoint", path)
            #expect(refused.status == 65, "\(refused.errors)")
            let expected = "runs/train/splits.csv: the clips or their splits are not those that \(path) was trained with"
            #expect(refused.errors.contains(expected) && refused.errors.contains("--split"), "\(refused.errors)")
            #expect(refused.output.isEmpty)
            // Who names the clips gets them, with a note, and the run's report stays.
            for words in [["--split", "val"], ["--data", "data"]] {
                let named = try CommandLineTool.run(["eval", "--no-cache", "--checkpoint", path] + words, in: box.path)
                #expect(named.status == 0 && named.errors.contains("note: " + expected), "\(words): \(named.errors)")
            }
        }
        #expect(try box.bytes("runs/train/report.html") == report)
        let page = String(decoding: try box.bytes("runs/train/eval/report.html"), as: UTF8.self)
        #expect(!page.contains("validation clips"))
        // One clip less is a difference, too; the file as it was is none.
        try box.write("runs/train/splits.csv", text: splits.split(separator: "\n").dropLast().joined(separator: "\n"))
        #expect(try eval(box).status == 65)
        try box.write("runs/train/splits.csv", text: splits)
        #expect(try eval(box, "--json", "--no-report").output == before.output)
    }

    /// Without a splits.csv the data is split again, which gives the same splits only if the data is the same.
    @Test func dataThatHasGrownIsNotSplitAgain() throws {
        let box = try trained()
        let before = try eval(box, "--json", "--no-report")
        try box.write("model.safetensors", try box.bytes("runs/train/weights/best.safetensors"))
        let again = try eval(box, "--checkpoint", "model.safetensors", "--json", "--no-report")
        #expect(again.output == before.output && again.errors.contains("the data is split again"), "\(again.errors)")
        let label = try #require(try box.names("data").first { !$0.hasPrefix(".") })
        try box.write("data/\(label)/more.bin", try box.bytes("data/\(label)/000.bin"))
        let grown = try eval(box, "--checkpoint", "model.safetensors", "--no-report")
        #expect(grown.status == 65 && grown.errors.contains("data: the clips or their splits are not those"), "\(grown.errors)")
        #expect(try eval(box, "--checkpoint", "model.safetensors", "--no-report", "--split", "all").status == 0)
        // A run's own splits.csv does not name the new clip.
        #expect(try eval(box, "--no-report", "--json").output == before.output)
    }

    /// A checkpoint of the first version works as before, and that its splits cannot be verified is said.
    @Test func aCheckpointWithoutTheDigest() throws {
        let box = try trained()
        let best = box("runs/train/weights/best.safetensors")
        let before = try eval(box, "--json", "--no-report")
        try TrainedModel.rewrite(best, to: best)
        let old = try eval(box, "--json", "--no-report")
        #expect(old.status == 0 && old.output == before.output, "\(old.errors)")
        #expect(old.errors.contains("note: runs/train/splits.csv: cannot be verified, because an earlier version"), "\(old.errors)")
        #expect(try eval(box).status == 0)
        // Resuming writes it again, as an uninterrupted run would have.
        let new = [UInt8](try Data(contentsOf: URL(fileURLWithPath: TrainedModel.best())))
        try #require(try box.bytes("runs/train/weights/best.safetensors") != new)
        try box.succeed("train", "--resume", "runs/train", "--quiet", "--no-cache")
        #expect(try box.bytes("runs/train/weights/best.safetensors") == new)
    }
}
