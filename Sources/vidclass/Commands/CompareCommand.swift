import ArgumentParser
import VidConfig
import VidReport
import VidRun
import VidSystem

struct CompareCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "compare",
        abstract: "Compare runs, and tell which differences are within noise.",
        discussion: """
            The metrics come from each run's predictions.csv: its best model on its held-out clips. Differences are tested on \
            the clips that two runs have in common (McNemar's exact test; Holm's correction for several pairs).

              vidclass compare runs/train runs/train2
              vidclass compare train train2 train3 --output compare.svg
              vidclass compare runs/train runs/train2 --json
            """)

    @Argument(help: "The runs' folders, or their names inside runs/.", completion: .directory)
    var runs: [String]

    @Option(
        name: .customLong("output"), help: ArgumentHelp("Draw the validation curves of all runs into this SVG file.", valueName: "file"),
        completion: .file(extensions: ["svg"]))
    var picture: String?

    @OptionGroup var output: JSONOptions

    /// The palette of a drawing has so many colours, and more runs would give a wall of tests.
    private static let mostRuns = 20

    func validate() throws {
        guard Set(runs).count == runs.count else { throw ValidationError("The same run is named twice.") }
        guard (2...CompareCommand.mostRuns).contains(runs.count) else {
            throw ValidationError("compare takes from 2 to \(CompareCommand.mostRuns) runs, not \(runs.count).")
        }
    }

    func run() async throws {
        try picture.map(AtomicFile.check)
        let comparison = RunComparison(try runs.map(folder).map { RunFacts($0) })
        for run in comparison.runs {
            for fault in run.facts.faults { Terminal.note(Terminal.fitted("note: \(run.name.printable): \(fault.printable)")) }
        }
        if let picture {
            let curves = comparison.runs.map { ($0.name, $0.facts.results?.epochs ?? []) }
            let text = ComparisonPlot(curves).picture.file
            try AtomicFile.write(to: picture, followingLink: true) { try $0.write(text.utf8) }
        }
        try output.print(comparison.text(.standardOutput), comparison.document)
        if let picture { Terminal.note("drew \(picture.printable)") }
    }

    /// The run's folder: the named one, or the one with this name in the default directory.
    private func folder(_ name: String) throws -> RunFolder {
        let candidates = [name, PathText.join(OutputConfiguration().directory, name)].map { RunFolder(path: $0) }
        guard let folder = candidates.first(where: \.isRun) else {
            throw VidclassError.file(
                name, "no run here; expected a run's folder such as runs/train (`\(ShellText.vidclass("runs"))` lists them)",
                kind: .missingInput)
        }
        guard !folder.hasFolds else {
            throw VidclassError.file(
                name, "is a cross-validation, whose folds have different splits; compare the folds: \(name)/fold1 ...", kind: .usage)
        }
        return folder
    }
}
