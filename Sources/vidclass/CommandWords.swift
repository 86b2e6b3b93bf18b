import ArgumentParser
import VidConfig
import VidData
import VidSystem

/// The words of a command line that name its command.
enum CommandWords {
    /// Refuses a word in place of a command that is none, with the command that was probably meant.
    ///
    /// - Parameters:
    ///   - words: those after the program's name.
    ///   - program: the root command.
    static func check(_ words: [String], of program: CommandConfiguration) throws {
        var configuration = program
        var path: [String] = []
        for word in words where !(path.isEmpty && word == "help") {
            let commands = configuration.subcommands.map(describe)
            guard !commands.isEmpty, !word.hasPrefix("-"), word != "help" else { return }
            guard let next = commands.first(where: { $0.commandName == word }) else {
                throw unknown(word, after: path, commands.filter(\.shouldDisplay).compactMap(\.commandName))
            }
            configuration = next
            path.append(word)
        }
    }

    private static func describe(_ command: any ParsableCommand.Type) -> CommandConfiguration { command.configuration }

    private static func unknown(_ word: String, after path: [String], _ commands: [String]) -> VidclassError {
        let hint = nearestWord(to: word, among: commands).map { ". Did you mean \"\($0)\"?" } ?? ""
        var advice: [String] = []
        if path.isEmpty, let status = try? SystemCall.status(word) {
            let file = ShellText.path(word)
            if status.kind == .folder || DataSet.isTable(name: word) {
                advice = ["To train with these clips:", "  " + ShellText.vidclass("train", file)]
            } else if PathText.fileExtension(word) == "json" {
                advice = ["To train with this configuration:", "  " + ShellText.vidclass("train", "--config", file)]
            } else if (try? ClipFormat(existing: word)) != nil {
                advice = ["To classify it with a trained model:", "  " + ShellText.vidclass("predict", file)]
            }
        }
        advice.append("All commands are listed by `\(ShellText.vidclass(path + ["--help"]))`.")
        return VidclassError(
            .usage, "\(path.isEmpty ? "" : path.joined(separator: " ") + ": ")there is no command \"\(word.printable)\"\(hint)",
            advice: advice)
    }
}
