import Foundation
import Testing
import VidSystem
import VidTestSupport

/// Runs the built `vidclass` as a user would.
struct CommandLineTool {
    struct Result {
        let status: Int32
        let output: String
        let errors: String
    }

    /// The program beside the test bundle.
    static let path: String = {
        var buffer = [CChar](repeating: 0, count: 4096)
        let count = readlink("/proc/self/exe", &buffer, buffer.count - 1)
        let executable = String(decoding: buffer.prefix(max(0, count)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return URL(fileURLWithPath: executable).deletingLastPathComponent().appendingPathComponent("vidclass").path
    }()

    /// - Parameters:
    ///   - environment: added to the process's own; nil removes a variable.
    ///   - input: a file for standard input; nil for none.
    ///   - launcher: a program with arguments that starts this one, such as `prlimit --fsize=0`.
    ///   - addressSpace: a limit of the program's address space in KiB.
    ///   - program: another program to run.
    static func run(
        _ arguments: [String], in folder: String, environment: [String: String?] = [:], input: String? = nil,
        through launcher: [String] = [], addressSpace: Int? = nil, program: String = path
    ) throws -> Result {
        let process = Process()
        let limiter = addressSpace.map { ["/bin/sh", "-c", #"ulimit -v "$0" && exec "$@""#, "\($0)"] } ?? []
        let words = limiter + launcher + [program] + arguments
        process.executableURL = URL(fileURLWithPath: words[0])
        process.arguments = Array(words.dropFirst())
        process.currentDirectoryURL = URL(fileURLWithPath: folder)
        process.environment = variables(environment, in: folder)
        let (output, errors) = (folder + "/.stdout-\(UUID().uuidString)", folder + "/.stderr-\(UUID().uuidString)")
        for file in [output, errors] { _ = FileManager.default.createFile(atPath: file, contents: nil) }
        defer { for file in [output, errors] { try? FileManager.default.removeItem(atPath: file) } }
        process.standardOutput = try FileHandle(forWritingTo: URL(fileURLWithPath: output))
        process.standardError = try FileHandle(forWritingTo: URL(fileURLWithPath: errors))
        process.standardInput = try input.map { try FileHandle(forReadingFrom: URL(fileURLWithPath: $0)) } ?? FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        let status = process.terminationReason == .exit ? process.terminationStatus : -process.terminationStatus
        return Result(
            status: status, output: try String(contentsOfFile: output, encoding: .utf8),
            errors: try String(contentsOfFile: errors, encoding: .utf8))
    }
}

extension CommandLineTool {
    /// The process's own variables with others, and the folder's own cache instead of the user's.
    private static func variables(_ others: [String: String?], in folder: String) -> [String: String] {
        var variables = ProcessInfo.processInfo.environment
        variables["XDG_CACHE_HOME"] = folder + "/.cache"
        for (name, value) in others { variables[name] = value }
        return variables
    }

    /// Starts the program, leaves it running and drops its output.
    static func start(
        _ arguments: [String], in folder: String, environment: [String: String?] = [:], through launcher: [String] = []
    ) throws -> Process {
        let process = Process()
        let words = launcher + [path] + arguments
        process.executableURL = URL(fileURLWithPath: words[0])
        process.arguments = Array(words.dropFirst())
        process.currentDirectoryURL = URL(fileURLWithPath: folder)
        process.environment = variables(environment, in: folder)
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        process.standardInput = FileHandle.nullDevice
        try process.run()
        return process
    }
}

extension TestFolder {
    /// Runs `vidclass` in this folder.
    func run(_ arguments: String..., environment: [String: String?] = [:]) throws -> CommandLineTool.Result {
        try CommandLineTool.run(arguments, in: path, environment: environment)
    }

    /// Runs `vidclass` in this folder and requires that it succeeds.
    @discardableResult
    func succeed(_ arguments: String..., sourceLocation: SourceLocation = #_sourceLocation) throws -> CommandLineTool.Result {
        let result = try CommandLineTool.run(arguments, in: path)
        try #require(result.status == 0, "\(result.errors)", sourceLocation: sourceLocation)
        return result
    }

    /// A folder with `config` in config.json and synthetic clips of `size` x `size` pixels in data, `clips` per class.
    convenience init(config: String, classes: Int, clips: Int, frames: Int = 4, size: Int = 16) throws {
        try self.init()
        try synthesize(classes: classes, clips: clips, frames: frames, size: size)
        try write("config.json", text: config)
    }

    /// Makes synthetic clips of `size` x `size` pixels in `folder`, `clips` per class.
    func synthesize(_ folder: String = "data", classes: Int, clips: Int, frames: Int, size: Int) throws {
        try synthesize(folder, classes: classes, clips: clips, frames: frames, rows: size, columns: size)
    }

    func synthesize(_ folder: String, classes: Int, clips: Int, frames: Int, rows: Int, columns: Int) throws {
        try succeed(
            "synth", folder, "--classes", "\(classes)", "--clips-per-class", "\(clips)", "--frames", "\(frames)", "--rows", "\(rows)",
            "--columns", "\(columns)")
    }
}
