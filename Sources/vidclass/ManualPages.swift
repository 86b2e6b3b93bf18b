import VidSystem

/// Manual pages of all commands from the parser's own description of them: `vidclass.1`, `vidclass-train.1`, `vidclass-weights-fetch.1`, ...
/// They use the macros of man(7), which every `man` renders. The parser's plugin for manual pages leaves out default values, exit codes
/// and the environment.
struct ManualPages {
    private let root: JSONNode

    /// - Parameter help: the parser's description of the root command, as JSON.
    init(help: String) throws {
        guard let command = try JSONParser.parse(Array(help.utf8))["command"] else {
            throw VidclassError(.other, "the description of the commands holds no command: this is a bug in vidclass, please report it")
        }
        root = command
    }

    /// The pages with their files' names.
    var pages: [(file: String, text: String)] { pages(of: root, ["vidclass"]) }

    private func pages(of command: JSONNode, _ words: [String]) -> [(file: String, text: String)] {
        let own: (file: String, text: String) = (words.joined(separator: "-") + ".1", page(of: command, words))
        return [own] + children(command).flatMap { pages(of: $0, words + [name($0)]) }
    }

    /// The visible commands below, without `help`.
    private func children(_ command: JSONNode) -> [JSONNode] {
        (command["subcommands"]?.arrayElements ?? []).filter { $0["shouldDisplay"]?.boolValue != false && name($0) != "help" }
    }

    private func name(_ command: JSONNode) -> String { command["commandName"]?.stringValue ?? "" }

    private func arguments(_ command: JSONNode) -> [JSONNode] {
        (command["arguments"]?.arrayElements ?? []).filter { $0["shouldDisplay"]?.boolValue != false }
    }

    // MARK: - A page

    private func page(of command: JSONNode, _ words: [String]) -> String {
        let title = words.joined(separator: "-")
        var text = ".TH \"\(Self.escaped(title.uppercased()))\" 1 \"\" \"vidclass \(Program.version)\" \"vidclass\"\n"
        text += ".SH NAME\n\(Self.escaped(title)) \\- \(Self.inline(command["abstract"]?.stringValue ?? ""))\n"
        text += ".SH SYNOPSIS\n.B \(Self.escaped(words.joined(separator: " ")))\n" + synopsis(command)
        if let discussion = command["discussion"]?.stringValue { text += ".SH DESCRIPTION\n" + Self.paragraphs(discussion) }
        let positional = arguments(command).filter { $0["kind"]?.stringValue == "positional" }
        let others = arguments(command).filter { $0["kind"]?.stringValue != "positional" }
        if !positional.isEmpty { text += ".SH ARGUMENTS\n" + positional.map(entry).joined() }
        if !others.isEmpty { text += ".SH OPTIONS\n" + others.map(entry).joined() }
        let children = children(command)
        if !children.isEmpty {
            text += ".SH COMMANDS\n"
            for child in children {
                text += ".TP\n.B \(Self.escaped(name(child)))\n\(Self.inline(child["abstract"]?.stringValue ?? ""))\n"
            }
        }
        if words.count == 1 { text += ".SH EXIT STATUS\n" + ManualPages.exitStatus + ".SH ENVIRONMENT\n" + ManualPages.environment }
        return text + seeAlso(command, words)
    }

    private func synopsis(_ command: JSONNode) -> String {
        if !children(command).isEmpty { return ".I command\n.RI [ options ]\n" }
        let words = arguments(command).filter { $0["kind"]?.stringValue == "positional" }.map { argument -> String in
            let name = Self.escaped(argument["valueName"]?.stringValue ?? "")
            let word = "\\fI\(name)\\fR" + (argument["isRepeating"]?.boolValue == true ? " ..." : "")
            return argument["isOptional"]?.boolValue == true ? "[\(word)]" : word
        }
        return (words + ["[\\fIoptions\\fR]"]).joined(separator: " ") + "\n"
    }

    private func entry(_ argument: JSONNode) -> String {
        let value = "\\fI\(Self.escaped(argument["valueName"]?.stringValue ?? ""))\\fR"
        let names = (argument["names"]?.arrayElements ?? []).map { name in
            let isLong = name["kind"]?.stringValue == "long"
            return "\\fB\(Self.escaped((isLong ? "--" : "-") + (name["name"]?.stringValue ?? "")))\\fR"
        }
        let isOption = argument["kind"]?.stringValue == "option"
        let head = names.isEmpty ? value : names.joined(separator: ", ") + (isOption ? " " + value : "")
        var text = ".TP\n\(head)\n\(Self.inline(argument["abstract"]?.stringValue ?? ""))\n"
        if let values = argument["allValues"]?.arrayElements?.compactMap(\.stringValue), !values.isEmpty {
            text += "One of \(Self.escaped(values.joined(separator: ", "))).\n"
        }
        if isOption, let value = argument["defaultValue"]?.stringValue { text += "By default \(Self.escaped(value)).\n" }
        return text
    }

    private func seeAlso(_ command: JSONNode, _ words: [String]) -> String {
        let above = words.count > 1 ? [words.dropLast().joined(separator: "-")] : []
        let below = children(command).map { (words + [name($0)]).joined(separator: "-") }
        let pages = (above + below).map { ".BR \(Self.escaped($0)) (1)" }
        return pages.isEmpty ? "" : ".SH SEE ALSO\n" + pages.joined(separator: ",\n") + "\n"
    }

    private static let exitStatus = [
        (0, "done"), (64, "wrong usage"), (65, "bad data, config or checkpoint"), (66, "an input is missing"),
        (70, "the training diverged: a number is no longer finite"), (74, "reading or writing failed"),
        (75, "another vidclass is training in the run's folder"),
        (130, "stopped by Ctrl-C (143: by SIGTERM); a training has saved everything"), (1, "anything else"),
    ].map { ".TP\n.B \($0)\n\($1)\n" }.joined()

    private static let environment = [
        ("NO_COLOR", "Turns colours off if it is set to anything."),
        ("XDG_CACHE_HOME", "Weights and features are kept in vidclass below this folder; ~/.cache by default."),
        ("VIDCLASS_CACHE_GIB", "The most GiB that features may take; 10 by default, 0 turns the cache off."),
        ("VIDCLASS_FFMPEG", "The program ffmpeg that writes animations, or its folder."),
        (
            "VIDCLASS_FFMPEG_SECONDS",
            "The most seconds to wait for a reader to read one video or sound; by default 60 and 1 for each 200 kB."
        ),
        ("VIDCLASS_MPI_PLUGIN", "The plug-in for MPI; by default the one that Scripts/install.sh --mpi installs beside the program."),
        ("TMPDIR", "The folder for a temporary copy of a clip on standard input."),
        ("OPENBLAS_CORETYPE", "OpenBLAS's kernel; by default the best one for the processor."),
    ].map { ".TP\n.B \(escaped($0))\n\(escaped($1))\n" }.joined()

    // MARK: - roff

    /// Paragraphs; indented lines keep their line breaks.
    private static func paragraphs(_ text: String) -> String {
        var result = ""
        var isExample = false
        for line in text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init) {
            if line.hasPrefix("  ") {
                if !isExample { result += ".PP\n.RS 4\n.nf\n" }
                isExample = true
                result += inline(String(line.drop { $0 == " " })) + "\n"
            } else {
                if isExample { result += ".fi\n.RE\n" }
                isExample = false
                result += line.isEmpty ? ".PP\n" : inline(line) + "\n"
            }
        }
        if isExample { result += ".fi\n.RE\n" }
        // Drops an empty paragraph before an example or at the end.
        return result.replacing(".PP\n.PP\n", with: ".PP\n")
    }

    /// Escaped text, with words between backquotes in bold.
    private static func inline(_ text: String) -> String {
        let parts = text.split(separator: "`", omittingEmptySubsequences: false)
        guard parts.count % 2 == 1 else { return escaped(text) }
        return parts.enumerated().map {
            $0 % 2 == 1 ? "\\fB\(escaped(String($1), isWithin: true))\\fR" : escaped(String($1), isWithin: $0 > 0)
        }
        .joined()
    }

    /// - Parameter isWithin: whether the text is not at the start of a line, where a dot or quote would be a request.
    private static func escaped(_ text: String, isWithin: Bool = false) -> String {
        var result = ""
        for character in text {
            switch character {
            case "\\": result += "\\e"
            case "-": result += "\\-"
            case "'": result += "\\(aq"
            case "^": result += "\\(ha"
            case "~": result += "\\(ti"
            case "`": result += "\\(ga"
            default: result.append(character)
            }
        }
        return !isWithin && result.hasPrefix(".") ? "\\&" + result : result
    }
}
