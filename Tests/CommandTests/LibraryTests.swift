import Foundation
import Testing
import VidSystem
import VidTestSupport

/// What Scripts/library.sh has built, and the tools to try it with.
private enum Library {
    static let root = URL(filePath: #filePath).appending(path: "../../..").standardizedFileURL.path
    static let folder = root + "/.build/library"
    static let file = folder + "/libvidclass.so.1"
    static let isThere = FileManager.default.fileExists(atPath: file)
    static let compiler = ChildProcess.installed("cc")
    static let python = ChildProcess.installed("python3")

    /// Compiles a C program as a user would.
    static func compile(_ source: String, to program: String, links: Bool = true) throws {
        let words = ["-std=gnu11", "-O1", "-Wall", "-Wextra", "-Werror", "-pthread", "-I", folder, source, "-o", program, "-ldl", "-lm"]
        let result = try run(
            compiler ?? "cc", words + (links ? ["-L", folder, "-lvidclass", "-Wl,-rpath," + folder] : []), in: PathText.parent(program))
        try #require(result.status == 0, "\(result.errors)")
    }

    /// Runs a program with the library and the built `vidclass` in its reach.
    static func run(_ program: String, _ words: [String], in place: String) throws -> CommandLineTool.Result {
        let path = PathText.parent(CommandLineTool.path) + ":" + (ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin")
        return try CommandLineTool.run(
            words, in: place, environment: ["LD_LIBRARY_PATH": folder, "PATH": path], program: program)
    }
}

/// A tiny model in runs/train, with clips in data.
private func trained() throws -> TestFolder {
    let training = try TinyTraining()
    let result = try training.run()
    try #require(result.status == 0, "\(result.errors)")
    return training.box
}

/// libvidclass.so, used as other programs use it.
@Suite(
    .enabled(if: Library.isThere, "there is no .build/library/libvidclass.so.1; Scripts/library.sh builds it"),
    .enabled(if: Library.compiler != nil, "there is no C compiler (cc)"))
struct LibraryTests {
    /// The first clip of the model's data.
    private func clip(_ box: TestFolder) throws -> String {
        let label = try #require(try box.names("data").first { !$0.hasPrefix(".") })
        return "data/\(label)/" + (try #require(try box.names("data/\(label)").first))
    }

    private func writePictures(_ box: TestFolder) throws {
        for number in 0..<4 { try box.write("pictures/f\(number + 8).bmp", PictureCommandTests.bitmap(2 * number)) }
    }

    @Test func theExampleInCPrintsTheScoresOfTheProgram() throws {
        let box = try trained()
        try Library.compile(Library.root + "/Examples/c/classify.c", to: box("classify"))
        let clip = try clip(box)
        let result = try Library.run(box("classify"), ["runs/train", clip], in: box.path)
        #expect(result.status == 0, "\(result.errors)")
        let found = result.output.split(separator: "\n").reduce(into: [String: Float]()) { scores, line in
            let words = line.split(separator: " ", maxSplits: 1)
            scores[String(words[1])] = Float(words[0])
        }
        let document = try JSONParser.parse(try box.succeed("predict", clip, "--checkpoint", "runs/train", "--json").output)
        let predictions = try #require(document.arrayElements?.first?["predictions"]?.arrayElements)
        let expected = predictions.reduce(into: [String: Float]()) {
            $0[$1["label"]?.stringValue ?? ""] = ($1["score"]?.doubleValue).map { Float($0) }
        }
        // The same bits.
        #expect(found == expected)
        #expect(found.count == 2)

        let noise = try Library.run(box("classify"), ["runs/train"], in: box.path)
        #expect(noise.status == 0, "\(noise.errors)")
        #expect(noise.output.split(separator: "\n").count == 2)
        let missing = try Library.run(box("classify"), ["runs/none"], in: box.path)
        #expect(missing.status == 1)
        #expect(missing.errors.contains("runs/none"))
    }

    @Test func loadingAndPredictingChangesNothingInTheProcess() throws {
        let box = try trained()
        try Library.compile(Library.root + "/Tests/CommandTests/C/host.c", to: box("host"), links: false)
        // A folder of pictures is read by the program.
        try writePictures(box)
        let result = try Library.run(box("host"), [Library.file, "runs/train", "pictures"], in: box.path)
        #expect(result.status == 0, "\(result.output)\(result.errors)")
    }

    @Test(arguments: ["misuse", "threads", "fork"]) func noCallCrashes(mode: String) throws {
        let box = try trained()
        try Library.compile(Library.root + "/Tests/CommandTests/C/library.c", to: box("library"))
        let result = try Library.run(box("library"), [mode, "runs/train"], in: box.path)
        #expect(result.status == 0, "\(result.output)\(result.errors)")
    }

    /// Under limits of the process there is enough memory, or an error that says so.
    @Test(arguments: [("-v", 300_000), ("-v", 4_000_000), ("-d", 98_304), ("-d", 1_000_000)])
    func memoryThatRunsOutIsAnError(_ option: String, _ kibibytes: Int) throws {
        let box = try trained()
        try Library.compile(Library.root + "/Examples/c/classify.c", to: box("classify"))
        let result = try Library.run(
            "/bin/sh", ["-c", #"ulimit \#(option) \#(kibibytes) && exec "$0" "$@""#, box("classify"), "runs/train"], in: box.path)
        let about: Comment = "\(option) \(kibibytes): \(result.status) \(result.errors)"
        #expect((result.status == 0) == (kibibytes >= 1_000_000), about)
        guard result.status != 0 else { return }
        #expect(result.status == 1, about)
        #expect(result.errors.hasPrefix("classify: runs/train: "), about)
        #expect(result.errors.contains("out of memory: ") || result.errors.contains("GiB of memory, but"), about)
    }

    @Test func theProgramForPicturesHasTheSameVersion() throws {
        let box = try trained()
        try Library.compile(Library.root + "/Tests/CommandTests/C/library.c", to: box("library"))
        try writePictures(box)
        try box.write("other", text: "#!/bin/sh\necho 0.0.1\n")
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: box("other"))
        let result = try Library.run(box("library"), ["program", "runs/train", "pictures", box("other")], in: box.path)
        #expect(result.status == 0, "\(result.output)\(result.errors)")
    }

    @Test(.enabled(if: Library.python != nil, "there is no python3"))
    func theExampleInPythonPrintsAScoreOfEachClass() throws {
        let page = try String(
            contentsOfFile: Library.root + "/Sources/vidclass/Documentation.docc/UsingTheLibraries.md", encoding: .utf8)
        let block = try #require(page.components(separatedBy: "```python\n").dropFirst().first?.components(separatedBy: "```").first)
        let box = try trained()
        try box.write("example.py", text: block)
        let result = try Library.run(Library.python ?? "python3", ["example.py"], in: box.path)
        #expect(result.status == 0, "\(result.errors)")
        #expect(result.output.split(separator: "\n").count == 2)
    }
}

/// The example package, built from the same sources as a target of this package.
struct KitExampleTests {
    @Test func theExampleTrainsEvaluatesAndPredicts() throws {
        let box = try TestFolder()
        let program = PathText.join(PathText.parent(CommandLineTool.path), "KitExample")
        let result = try CommandLineTool.run([], in: box.path, program: program)
        #expect(result.status == 0, "\(result.errors)")
        let lines = result.output.split(separator: "\n").map(String.init)
        #expect(lines.first == "48 clips in 2 classes: left, right")
        #expect(lines.count { $0.hasPrefix("epoch ") } == 12)
        let accuracy = try #require(lines.first { $0.hasPrefix("accuracy on 12 held-out clips: ") }?.split(separator: " ").last)
        #expect(try #require(Double(accuracy)) >= 0.9)
        #expect(lines.suffix(2).first?.hasPrefix("right: ") == true)
    }
}
