import ArgumentParser
import Foundation
import VidConfig
import VidReport
import VidSystem
import VidTensor

struct CompareCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "compare",
        abstract: "Set runs beside each other, and say which differences are within noise.",
        discussion: """
            Figures are those of each run's predictions.csv: its best model on its held-out clips. Differences are tested on \
            the clips that two runs have in common (McNemar's exact test; Holm's correction for several pairs).

              vidclass compare runs/train runs/train2
              vidclass compare train train2 train3 --output compare.svg
              vidclass compare runs/train runs/train2 --json
            """)

    @Argument(help: "The runs' folders, or their names in runs.", completion: .directory)
    var runs: [String]

    @Option(
        help: ArgumentHelp("Draw the validation curves of all runs into this SVG file.", valueName: "file"),
        completion: .file(extensions: ["svg"]))
    var output: String?

    @Flag(help: "Print one JSON document and nothing else on standard output.")
    var json = false

    /// The palette of a drawing tells so many apart; more would be a wall of tests, too.
    private static let mostRuns = 20

    func validate() throws {
        guard Set(runs).count == runs.count else { throw ValidationError("A run is named twice.") }
        guard (2...CompareCommand.mostRuns).contains(runs.count) else {
            throw ValidationError("compare takes from 2 to \(CompareCommand.mostRuns) runs, not \(runs.count).")
        }
    }

    func run() async throws {
        let folders = try runs.map(CompareCommand.folder)
        let names = CompareCommand.names(folders.map(\.path))
        let comparison = RunComparison(
            zip(folders, names).map { folder, name in
                let facts = RunFacts(folder)
                for fault in facts.faults { Terminal.note("note: \(name.printable): \(fault.printable)") }
                return RunComparison.Run(facts, name: name)
            })
        if let output {
            let curves = comparison.runs.map { ($0.name, $0.facts.results?.epochs ?? []) }
            let text = ComparisonPlot(curves).picture.file
            try AtomicFile.write(to: output) { try $0.write(text.utf8) }
        }
        try Terminal.output(json ? comparison.document.text(pretty: true) + "\n" : comparison.text(.standardOutput))
        if let output { Terminal.note("drew \(output.printable)") }
    }

    /// The run's folder: as it is named, or of that name where runs are kept.
    private static func folder(_ name: String) throws -> RunFolder {
        let candidates = [name, PathText.join(OutputConfiguration().directory, name)].map { RunFolder(path: $0) }
        guard let folder = candidates.first(where: RunFacts.isRun) else {
            throw VidclassError.file(
                name, "no run here; expected a run's folder such as runs/train (`vidclass runs` lists them)", kind: .missingInput)
        }
        guard !FoldTraining.isOne(folder) else {
            throw VidclassError.file(name, "is a training by folds, whose parts differ; compare its folds: \(name)/fold1 ...", kind: .usage)
        }
        return folder
    }

    /// The last names of the paths, or, where two are the same, the paths.
    private static func names(_ paths: [String]) -> [String] {
        let names = paths.map(PathText.name)
        return Set(names).count == names.count ? names : paths
    }
}
