import ArgumentParser
import Dispatch
import VidCheckpoint
import VidCluster
import VidData
import VidReport
import VidRun
import VidSystem

/// The root command; the commands themselves are one file each.
struct Vidclass: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "vidclass",
        abstract: "Train, evaluate and run video classifiers on a CPU.",
        discussion: """
            Put the videos into one folder per class, such as videos/running and videos/walking. Then train, and classify new videos:

              vidclass train videos
              vidclass predict new --format csv
            """,
        version: Program.fullVersion,
        subcommands: [
            InitCommand.self, CheckCommand.self, TrainCommand.self, EvalCommand.self, PredictCommand.self, ExplainCommand.self,
            RunsCommand.self, CompareCommand.self, ExportCommand.self, PackCommand.self, SynthCommand.self, InspectCommand.self,
            WeightsCommand.self, CacheCommand.self, BenchCommand.self, DoctorCommand.self, GenerateManualCommand.self,
        ])

    /// Without a command: how to begin.
    func run() async throws {
        let lines = [
            "vidclass learns to classify videos, on a CPU.", "Put your videos into one folder per class:", "  videos/running/a.mp4 ...",
            "  videos/walking/b.mp4 ...", "1. Train a classifier:", "  " + ShellText.vidclass("train", "videos"),
            "2. Classify new videos:",
            "  " + ShellText.vidclass("predict", "new.mp4"), "To try it without videos, make some clips:",
            "  " + ShellText.vidclass("synth", "videos"), "All commands:", "  " + ShellText.vidclass("--help"),
        ]
        try Terminal.output(lines.joined(separator: "\n") + "\n")
    }
}

/// Runs the command line. An error becomes one line on standard error and the documented exit code.
@main
enum Main {
    static func main() {
        if ReaderService.isRequested { read() }
        // Before anything is opened, also by the threads of the first task.
        do { try ProcessLimits.prepareThisProcess() } catch { fail(error) }
        Readers.findProgram = { "/proc/self/exe" }
        Task {
            await run()
            exit(0)
        }
        dispatchMain()
    }

    /// Becomes a reader, a child of another process of this program that parses its files; nothing else has run before, so there is one
    /// thread.
    private static func read() -> Never {
        do {
            let media = MediaService()
            try ReaderService.serve(HDF5Import.handlers.merging(media.handlers) { own, _ in own }) {
                HDF5Import.prepare()
                MediaService.prepare()
            }
            exit(0)
        } catch {
            let error = error as? VidclassError ?? VidclassError(.other, "\(error)")
            Terminal.note("vidclass: error: " + error.message.printable)
            exit(error.kind.rawValue)
        }
    }

    private static func run() async {
        do {
            SignalHandling.install()
            ShellText.call(programAs: ownName)
            try CommandWords.check(Array(CommandLine.arguments.dropFirst()), of: Vidclass.configuration)
            var command = try await Vidclass.asyncParseAsRoot()
            try requireOneProcess(command)
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
        } catch let error as VidclassError {
            fail(error)
        } catch let failed as ClusterSession.Failed {
            if !failed.isTold { tell(failed.error) }
            failed.leave(failed.error.kind.rawValue)
            Vidclass.exit(withError: ExitCode(failed.error.kind.rawValue))
        } catch {
            let code = Vidclass.exitCode(for: error)
            // Help and the like.
            if code.isSuccess { Vidclass.exit(withError: error) }
            let text = onItsLines(Vidclass.fullMessage(for: error))
            if !text.isEmpty, tellsAll() { Terminal.note(text) }
            Vidclass.exit(withError: code)
        }
    }

    /// The parser's message without the line ends of the arguments that it quotes: a shell may have found these names in a
    /// stranger's folder.
    private static func onItsLines(_ message: String) -> String {
        let words = CommandLine.arguments.flatMap { [$0] + $0.split(separator: "=", maxSplits: 1).map(String.init) }
        return words.filter { $0.printable != $0 }.reduce(message) { $0.replacing($1, with: $1.printable) }
    }

    /// Whether this process tells what all that mpirun or srun has started would tell: the first one does. The others wait for it a moment,
    /// because the end of any of them ends them all.
    private static func tellsAll() -> Bool {
        guard let start = ClusterStart.ofThisProcess, start.rank > 0 else { return true }
        usleep(500_000)
        return false
    }

    /// Refuses a command that several processes would each do by itself, in the same files.
    private static func requireOneProcess(_ command: any ParsableCommand) throws {
        guard let start = ClusterStart.ofThisProcess, start.size > 1 else { return }
        guard !(command is TrainCommand || command is EvalCommand || command is PredictCommand) else { return }
        throw VidclassError(
            .usage,
            "\(start.launcher) has started \(start.size) processes, but they share out only train, eval and predict. Start this command "
                + "without \(start.launcher)")
    }

    private static func fail(_ error: VidclassError) -> Never {
        if tellsAll() { tell(error) }
        Vidclass.exit(withError: ExitCode(error.kind.rawValue))
    }

    private static func tell(_ error: VidclassError) {
        Terminal.note(Terminal.fitted("vidclass: error: " + error.message.printable))
        for line in error.advice { Terminal.note(line.hasPrefix("  ") ? line.printable : Terminal.fitted(line.printable)) }
    }

    /// How the user can call this program: by its name if the shell finds it, otherwise by the path that was used now.
    private static var ownName: String {
        let word = CommandLine.arguments.first ?? "vidclass"
        guard word.utf8.contains(UInt8(ascii: "/")) else { return word }
        let name = PathText.name(word)
        return ChildProcess.installed(name).map(Folder.resolved) == Folder.resolved(word) ? name : word
    }
}

// MARK: - Hidden commands

/// Writes the manual pages, for Scripts/install.sh.
struct GenerateManualCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "generate-manual",
        abstract: "Write the manual pages of all commands into a folder.",
        discussion: """
              vidclass generate-manual man1
            """,
        shouldDisplay: false)

    @Argument(help: "The folder to write to.", completion: .directory)
    var directory: String

    func run() async throws {
        try Folder.make(directory)
        for page in try ManualPages(help: Vidclass._dumpHelp()).pages {
            try AtomicFile.write(to: PathText.join(directory, page.file)) { try $0.write(page.text.utf8) }
        }
    }
}
