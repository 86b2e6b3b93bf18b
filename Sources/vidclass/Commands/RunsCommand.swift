import ArgumentParser
import VidConfig
import VidReport
import VidRun
import VidSystem

struct RunsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "runs",
        abstract: "List the runs, newest first: their state, best metric and size.",
        discussion: """
            "crashed" is a run whose process ended unexpectedly; resume it, or an interrupted one, with \
            `vidclass train --resume RUN`. A * marks the run whose best model eval, predict and explain use if none is named: the \
            newest finished one ("default" in JSON). Damaged folders are listed with what is wrong.

              vidclass runs
              vidclass runs experiments
              vidclass runs --json
            """)

    @Argument(help: "The folder that holds the runs, or one run.", completion: .directory)
    var directory: String?

    @OptionGroup var output: JSONOptions

    func run() async throws {
        let path = directory ?? OutputConfiguration().directory
        let isMissing = directory == nil && (try? SystemCall.status(path)) == nil
        let runs = isMissing ? [] : try RunFacts.all(in: path)
        let isDefaultFolder = Folder.resolved(path) == Folder.resolved(CheckpointOptions.directory)
        let chosen = isDefaultFolder ? RunChoice(among: runs)?.run.folder.path : nil
        if runs.isEmpty, !output.json {
            Terminal.note(
                "\(path.printable): no runs here yet. Start with `\(ShellText.vidclass("init", "VIDEOS"))`.")
        } else {
            try output.print(
                text(runs, chosen: chosen, style: .standardOutput), .array(runs.map { document($0, isDefault: $0.folder.path == chosen) }))
        }
    }

    private func text(_ runs: [RunFacts], chosen: String?, style: OutputStyle) -> String {
        let columns: [FittedTable.Column] = [
            .init("run", runs.map { $0.name.printable + ($0.folder.path == chosen ? " *" : "") }, rank: 0, isFlexible: true),
            .init("state", runs.map(\.state.rawValue), rank: 0) { cell in
                switch RunFacts.State(rawValue: cell) {
                case .finished: .green
                case .running: .cyan
                case .failed, .crashed: .red
                case .interrupted: .yellow
                case .unknown, nil: nil
                }
            },
            .init("epochs", runs.map(epochs), isRight: true, rank: 1),
            .init("best", runs.map(best), rank: 2),
            .init("size", runs.map { Formatting.bytes($0.bytes) }, isRight: true, rank: 4),
            .init("time", runs.map { $0.seconds.map { Formatting.duration($0) } ?? "" }, isRight: true, rank: 3),
            .init("data", runs.map(data), rank: 5, isFlexible: true),
        ]
        let width = style.columns ?? 80
        var text = FittedTable.text(columns, style: style)
        if chosen != nil {
            text += Terminal.paragraph("* eval, predict and explain use this run if none is named", indent: 0, columns: width)
        }
        let faults = runs.flatMap { run in
            run.faults.map { Terminal.paragraph("\(run.name.printable): \($0.printable)", indent: 2, columns: width) }
        }
        return text + (faults.isEmpty ? "" : "\n" + style.paint("damaged", .red) + "\n" + faults.joined())
    }

    private func epochs(_ run: RunFacts) -> String {
        if let planned = run.foldsPlanned { return "\(run.folds.count { $0.state == .finished })/\(planned) folds" }
        return "\(run.epochs)" + (run.epochsPlanned.map { "/\($0)" } ?? "")
    }

    /// "val acc 0.7222 at 6"
    private func best(_ run: RunFacts) -> String {
        guard let value = run.bestValue else { return "" }
        let monitor = RunFacts.shortened(run.monitor ?? run.folds.first?.monitor ?? "")
        let place = run.folds.isEmpty ? run.bestEpoch.map { " at \($0)" } ?? "" : " mean"
        return "\(monitor) \(Formatting.fixed(value, 4))\(place)"
    }

    private func data(_ run: RunFacts) -> String {
        let counts = [
            run.clips.map { Formatting.count($0, "clip") }, run.classes.map { Formatting.count($0.count, "class", "classes") },
        ]
        return ([run.dataPath?.printable] + counts).compactMap(\.self).joined(separator: ", ")
    }

    private func document(_ run: RunFacts, isDefault: Bool) -> JSONNode {
        return .object([
            ("run", .string(run.folder.path)), ("state", .string(run.state.rawValue)), ("started", .string(ifAny: run.started)),
            ("seconds", .number(ifAny: run.seconds)), ("epochs", .integer(ifAny: run.folds.isEmpty ? run.epochs : nil)),
            ("epochs_planned", .integer(ifAny: run.epochsPlanned)), ("monitor", .string(ifAny: run.monitor ?? run.folds.first?.monitor)),
            ("best_epoch", .integer(ifAny: run.bestEpoch)), ("best_value", .number(ifAny: run.bestValue)), ("bytes", .integer(run.bytes)),
            ("data", .string(ifAny: run.dataPath)), ("clips", .integer(ifAny: run.clips)),
            ("classes", run.classes.map { .array($0.map { .string($0) }) } ?? .null),
            ("default", .bool(isDefault)), ("folds", .integer(ifAny: run.foldsPlanned)),
            ("folds_finished", .integer(ifAny: run.foldsPlanned.map { _ in run.folds.count { $0.state == .finished } })),
            ("faults", .array(run.faults.map { .string($0) })),
        ])
    }
}
