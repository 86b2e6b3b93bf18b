import ArgumentParser
import VidConfig
import VidReport
import VidSystem
import VidTensor

/// The root command; the commands themselves are one file each.
struct Vidclass: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "vidclass",
        abstract: "Train, evaluate and run video classifiers on a CPU.",
        discussion: """
            From a folder of videos, one sub-folder a class, to a trained classifier:

              vidclass init videos
              vidclass train --config config.json
              vidclass eval
              vidclass predict holiday.mp4
            """,
        version: "0.1.0",
        subcommands: [
            InitCommand.self, CheckCommand.self, TrainCommand.self, EvalCommand.self, PredictCommand.self, ExplainCommand.self,
            RunsCommand.self, CompareCommand.self, PackCommand.self, SynthCommand.self, InspectCommand.self, WeightsCommand.self,
            CacheCommand.self, BenchCommand.self, DoctorCommand.self, GenerateManualCommand.self, ReadHDF5Command.self,
        ])
}

/// Runs the command line and turns whatever is thrown into one line on standard error and the documented exit code.
@main
enum Main {
    static func main() async {
        Ending.takeSignals()
        do {
            var command = try await Vidclass.asyncParseAsRoot()
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
        } catch let error as VidclassError {
            fail(error.message, error.kind.rawValue)
        } catch {
            let code = Vidclass.exitCode(for: error)
            // Help and the like.
            if code.isSuccess { Vidclass.exit(withError: error) }
            let text = onItsLines(Vidclass.fullMessage(for: error))
            if !text.isEmpty { Terminal.note(text) }
            Vidclass.exit(withError: code)
        }
    }

    /// The parser's message without the line ends of arguments that it quotes, which may be names that a shell found in a
    /// stranger's folder.
    private static func onItsLines(_ message: String) -> String {
        let words = CommandLine.arguments.flatMap { [$0] + $0.split(separator: "=", maxSplits: 1).map(String.init) }
        return words.filter { $0.printable != $0 }.reduce(message) { $0.replacing($1, with: $1.printable) }
    }

    private static func fail(_ message: String, _ code: Int32) -> Never {
        Terminal.note("vidclass: error: " + message.printable)
        Vidclass.exit(withError: ExitCode(code))
    }
}
