import Foundation
import Testing
import VidSystem
import VidTestSupport

/// What the program prints as the next step works as pasted, with the data, the names and the machine that there are.
@Suite struct NextStepTests {
    /// A folder whose name needs quotes, with its own home and cache.
    private let box: TestFolder
    private let place: String

    init() throws {
        box = try TestFolder()
        place = box("it's a $place")
        try box.makeFolder("it's a $place")
    }

    private var environment: [String: String?] { ["HOME": box.path, "KERAS_HOME": nil, "COLUMNS": nil] }

    private func run(_ arguments: String...) throws -> CommandLineTool.Result {
        try CommandLineTool.run(arguments, in: place, environment: environment)
    }

    /// The commands in a text: lines of their own, indented, and what is in backticks. Words in capitals are for the user to fill in.
    private func commands(in text: String) -> [String] {
        let lines = text.split(separator: "\n").filter { $0.hasPrefix("  ") }.map { String($0.drop { $0 == " " }) }
        let quoted = text.split(separator: "`", omittingEmptySubsequences: false).enumerated().filter { $0.offset % 2 == 1 }.map {
            String($0.element)
        }
        return (lines + quoted).filter { command in
            ["\(CommandLineTool.path) ", "for d in ", "ffmpeg ", "(echo "].contains(where: command.hasPrefix)
        }
    }

    /// Pastes a command into a shell in the folder.
    private func paste(_ command: String, environment others: [String: String?] = [:]) throws -> CommandLineTool.Result {
        try CommandLineTool.run(
            [], in: place, environment: environment.merging(others) { $1 }, through: ["/bin/bash", "-c", command, "--"])
    }

    /// Pastes all commands of a text, and returns what they print.
    private func pasteAll(_ text: String, count: Int, sourceLocation: SourceLocation = #_sourceLocation) throws -> String {
        let commands = commands(in: text)
        #expect(commands.count == count, "\(commands) in \(text)", sourceLocation: sourceLocation)
        return try commands.map { command in
            let result = try paste(command)
            #expect(result.status == 0, "\(command): \(result.errors)", sourceLocation: sourceLocation)
            return result.output + result.errors
        }.joined(separator: "\n")
    }

    private func synthesize(_ folder: String, size: Int = 8, clips: Int = 5, frames: Int = 2) throws {
        let made = try run(
            "synth", "--classes", "2", "--clips-per-class", "\(clips)", "--frames", "\(frames)", "--rows", "\(size)", "--columns",
            "\(size)",
            "--", folder)
        try #require(made.status == 0, "\(made.errors)")
    }

    /// From clips of which one is bad to the next training: each command is the one that the command before it prints.
    @Test(arguments: [("my clips", "it's.json"), ("-v", "-")]) func fromClipsToAResumedRun(data: String, config: String) throws {
        try synthesize(data)
        try Data("no clip".utf8).write(to: URL(fileURLWithPath: "\(place)/\(data)/right/bad.bin"))
        let made = try run("init", "--output=\(config)", "--", data)
        #expect(made.status == 0 && made.errors.contains(". Next:\n  "), "\(made.errors)")
        let trained = try pasteAll(made.errors, count: 1)
        #expect(trained.contains("Next:\n"))
        let evaluated = try pasteAll(trained, count: 2)
        #expect(evaluated.contains("accuracy"))
        let again = try run("train", "--resume", "runs/train")
        #expect(again.errors.contains("nothing to do"))
        #expect(try pasteAll(again.output, count: 1).contains("Best epoch"))
    }

    @Test func aStoppedTrainingSaysHowToResume() throws {
        try synthesize("clips")
        let settings = ["data.path=clips", "data.preprocessing=unit", "training.epochs=4000", "training.max_minutes=0.001"] + Self.model
        let stopped = try CommandLineTool.run(
            ["train", "--config", "-"] + settings.flatMap { ["--set", $0] }, in: place, environment: environment,
            input: box.write("empty.json", text: "{}"))
        #expect(stopped.status == 0, "\(stopped.errors)")
        #expect(try pasteAll(stopped.errors, count: 1).contains("training.max_minutes was reached"))
    }

    private static let model = [
        "model.input.frames=2", "model.input.rows=8", "model.input.columns=8", "model.cnn.weights=null",
        #"model.cnn.architecture={"blocks":[[2]]}"#, "model.recurrent=[]", "model.hidden=[]",
    ]

    /// Where the ImageNet weights are missing, fetching them is the first step. No server is there, so it is only understood.
    @Test func missingWeightsAreFetchedFirst() throws {
        try synthesize("clips", size: 64)
        let made = try run("init", "clips")
        #expect(made.errors.contains("Next:\n1. Download the ImageNet weights, once:\n  "), "\(made.errors)")
        let commands = commands(in: made.errors)
        #expect(commands.map { $0.split(separator: " ")[1] } == ["weights", "train"])
        let fetched = try paste(commands.first ?? "", environment: ["VIDCLASS_WEIGHTS_URL": "http://127.0.0.1:9"])
        #expect(fetched.status == 74, "\(fetched.errors)")
        // The training without them names the same step.
        let trained = try paste(commands.last ?? "")
        #expect(trained.status == 66 && self.commands(in: trained.errors).first == commands.first, "\(trained.errors)")
    }

    @Test func misplacedWords() throws {
        try synthesize("my clips")
        let named = try run("train", "my clips", "--set", "training.epochs=1")
        #expect(named.status == 0, "\(named.errors)")
        _ = try pasteAll(named.output, count: 3)
        try #require(try run("init", "my clips").status == 0)
        let config = try run("train", "config.json")
        #expect(config.status == 64)
        #expect(commands(in: config.errors).map { $0.hasSuffix("train --config config.json") } == [true])
        let resumed = try run("train", "runs/train")
        #expect(resumed.status == 64)
        _ = try pasteAll(resumed.errors, count: 1)
        try FileManager.default.removeItem(atPath: "\(place)/config.json")
        let folder = try run("my clips")
        #expect(folder.status == 64 && folder.errors.contains("there is no command \"my clips\""))
        #expect(commands(in: folder.errors).first?.hasSuffix(" train 'my clips'") == true)
        let misspelt = try run("trian", "--config", "config.json")
        #expect(misspelt.status == 64 && misspelt.errors.contains("there is no command \"trian\". Did you mean \"train\"?"))
        #expect(try run("weights", "ftech").errors.contains("weights: there is no command \"ftech\". Did you mean \"fetch\"?"))
        #expect(try run("help", "trian").errors.contains("Did you mean \"train\"?"))
    }

    @Test func withoutACommandTheStepsAreShown() throws {
        let shown = try run()
        #expect(shown.status == 0 && shown.errors.isEmpty)
        let lines = shown.output.split(separator: "\n")
        #expect(commands(in: shown.output).map { $0.split(separator: " ")[1] } == ["train", "predict", "synth", "--help"])
        #expect(lines.count <= 20 && lines.allSatisfy { !$0.hasPrefix("  ") || $0.contains(CommandLineTool.path) || $0.count < 50 })
    }

    /// Clips in folders that cannot be meant become a table by the command of the error.
    @Test(arguments: [
        ("{left,right}/{train,Test}", "train/left", "left,train"), ("{fold1,fold2}/{left,right}", "fold1/left", "left"),
        (".", "left_1.bin", "left"),
    ])
    func tablesAreMade(folders: String, name: String, row: String) throws {
        try synthesize("clips")
        let laid = try paste(
            #"mkdir data; cd data; if [ \#(folders) = . ]; then for l in left right; do for n in 1 2; do cp ../clips/$l/00$n.bin ${l}_$n.bin; done; done; "#
                + #"else n=0; for d in \#(folders); do mkdir -p $d; case $d in *left*) l=left;; *) l=right;; esac; cp ../clips/$l/00$n.bin $d; "#
                + #"case $d in *2/left|*Test|*1/right) n=$(((n+1)%5));; esac; touch $d/notes.txt; done; fi"#)
        try #require(laid.status == 0, "\(laid.errors)")
        let refused = try run("check", "data")
        #expect(refused.status == 65, "\(refused.output)")
        let commands = commands(in: refused.errors)
        #expect(try paste(try #require(commands.first, "\(refused.errors)")).status == 0)
        let table = String(decoding: try box.bytes("it's a $place/data/clips.csv"), as: UTF8.self)
        let columns = row.contains(",") ? "path,label,split" : "path,label"
        #expect(table.hasPrefix(columns + "\n") && table.split(separator: "\n").count == 5 && !table.contains("notes"), "\(table)")
        let checked = try run("check", "data/clips.csv")
        #expect(checked.output.contains("4 clips in 2 classes") && checked.output.contains("left"), "\(checked.output)\(checked.errors)")
    }

    /// A setting that an error suggests, added to the command that failed, repairs it.
    @Test(arguments: [
        ["model.input.rows=16", "model.input.columns=16"], ["model.input.channels=1"], ["data.short_clips=error", "model.input.frames=4"],
        ["data.leak_check=refuse"], ["optimizer.type=sgd", "optimizer.nesterov=true"],
    ])
    func settingsRepair(faults: [String]) throws {
        try synthesize("clips")
        try FileManager.default.createDirectory(atPath: "\(place)/all", withIntermediateDirectories: true)
        for split in ["train", "val"] { try FileManager.default.copyItem(atPath: "\(place)/clips", toPath: "\(place)/all/\(split)") }
        let settings = ["data.path=all", "data.preprocessing=unit", "training.epochs=1"] + Self.model + faults
        let words = ["train", "--config", "/dev/null", "--quiet"] + settings.flatMap { ["--set", $0] }
        try box.write("it's a $place/empty.json", text: "{}")
        let command = ShellText.command([CommandLineTool.path] + words.map { $0 == "/dev/null" ? "empty.json" : $0 })
        let failed = try paste(command)
        #expect(failed.status == 65)
        let text = failed.errors.split(separator: " ").map(String.init)
        let fixes = text.indices.filter { text[$0].hasSuffix("--set") }.map {
            "--set " + text[$0 + 1].trimmingCharacters(in: .init(charactersIn: ",:;.)\n"))
        }
        #expect(!fixes.isEmpty, "\(failed.errors)")
        let repaired = try paste(([command] + fixes).joined(separator: " "))
        #expect(repaired.status == 0, "\(fixes): \(repaired.errors)")
    }

    // MARK: - Configurations from pipes

    @Test(arguments: ["cat c.json | $0 check --config -", "$0 check --config /dev/stdin < c.json", "$0 check --config <(cat c.json)"])
    func configurationsCanBePiped(command: String) throws {
        try synthesize("clips")
        try box.write(
            "it's a $place/c.json",
            text:
                #"{"data": {"path": "clips"}, "model": {"input": {"frames": 2, "rows": 8, "columns": 8}, "cnn": {"architecture": {"blocks": [[2]]}, "weights": null}}}"#
        )
        let program = command.replacing("$0", with: ShellText.quoted(CommandLineTool.path))
        let checked = try paste(program)
        #expect(checked.status == 0 && checked.output.contains("10 clips in 2 classes"), "\(checked.errors)")
        let large = try paste(
            program.replacing("cat c.json", with: "head -c 1048577 /dev/zero").replacing("< c.json", with: "< <(head -c 1048577 /dev/zero)")
        )
        #expect(large.status == 65 && large.errors.contains("it has more than 1048576 bytes"), "\(large.errors)")
        let wrong = try paste(program.replacing("cat c.json", with: "echo '{\"x\": 1}'").replacing("< c.json", with: "<<< '{\"x\": 1}'"))
        #expect(wrong.status == 65 && wrong.errors.contains(":1:2: x: unknown key"), "\(wrong.errors)")
    }

    /// A pipe with a name may have no writer: it is refused at once.
    @Test func namedPipesAreNotWaitedFor() throws {
        #expect(try paste("mkfifo c.json").status == 0)
        let refused = try run("train", "--config", "c.json")
        #expect(refused.status == 65 && refused.errors.contains("expected a file, found a pipe"))
    }
}

/// Commands and settings in messages come from `ShellText`.
@Suite struct PastedTextTests {
    /// The texts in a Swift file, without comments and without texts of several lines, which are help.
    private func literals(_ source: String) -> [String] {
        let pieces = source.split(separator: "\"\"\"", omittingEmptySubsequences: false).enumerated()
        let lines = pieces.filter { $0.offset % 2 == 0 }.flatMap { $0.element.split(separator: "\n") }
        return lines.map(String.init).filter { line in
            let text = line.drop { $0 == " " }
            let isOther = ["//", "usage:", "abstract:"].contains { text.hasPrefix($0) }
            return !isOther && line.contains("\"") && !line.contains("<code>")
        }
    }

    @Test func noMessageSpellsThemOut() throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "Sources").path
        let names = Set(HelpTests.commands.compactMap(\.first)).sorted().joined(separator: "|")
        let command = try Regex("[^-]\\bvidclass (\(names))[ `]")
        let setting = try Regex(
            "--set [a-z]|\"[^\"]*\\b(data|model|optimizer|augmentation|training|stages|evaluation|output)\\.[a-z_.]+ = ")
        var found: [String] = []
        for file in try FileManager.default.subpathsOfDirectory(atPath: root).filter({ $0.hasSuffix(".swift") }) {
            // A configuration tells in its comment which command made it.
            for line in literals(
                try String(contentsOfFile: "\(root)/\(file)", encoding: .utf8).replacing("Made by `vidclass init`", with: ""))
            where line.contains(command) || line.contains(setting) { found.append("\(file): \(line)") }
        }
        #expect(found.isEmpty, "\(found.joined(separator: "\n"))")
    }
}
