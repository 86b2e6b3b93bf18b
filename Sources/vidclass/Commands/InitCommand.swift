import ArgumentParser
import VidConfig
import VidData
import VidReport
import VidRun
import VidSystem

struct InitCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "init",
        abstract: "Check a folder or table of clips and write a config for `train`, with a reason for each choice.",
        usage: "vidclass init <data> [--output <file>] [<options>]",
        discussion: """
              vidclass init videos
              vidclass init videos --output videos.json
              vidclass train --config videos.json
            """)

    @Argument(help: "A folder, table or list of labelled clips.", completion: .labelledClips)
    var data: String

    @OptionGroup var media: MediaOptions

    @Option(help: ArgumentHelp("The config to write.", valueName: "file"), completion: .configs)
    var output = "config.json"

    @Flag(help: "Overwrite an existing file.")
    var force = false

    @OptionGroup var threads: ThreadOptions

    @OptionGroup var features: FeatureCacheOptions

    func run() async throws {
        let set = try DataSet.open(data, media: media.folder, split: .none)
        if !force, (try? SystemCall.status(output, followingLink: false)) != nil {
            throw VidclassError(.usage, "\(output.printable) exists already; overwrite it with --force, or name another file with --output")
        }
        try AtomicFile.check(output)
        let display = RunDisplay()
        defer { display.clear() }
        let plan = try await InitPlan(
            for: set, in: Runtime(threads.makeWorkers(), cache: try features.cache(), display: display))
        // Makes sure that the file can be read.
        _ = try RunConfiguration(json: plan.text, source: output)
        try AtomicFile.write(to: output, followingLink: true) { try $0.write(plan.text.utf8) }
        for remark in plan.report.remarks + [set.otherFilesSummary].compactMap(\.self) { note("note: \(remark)") }
        if let error = plan.report.contradictionError() { note("warning: \(error.message)") }
        if let warning = plan.report.leakWarning { note("warning: \(warning)") }
        try Terminal.output(table(plan.choices).printableLines)
        let steps = plan.steps(after: output)
        note("wrote \(output.printable). Next:")
        for (number, step) in steps.enumerated() {
            if steps.count > 1 { note("\(number + 1). \(step.sentence)") }
            if let command = step.command { Terminal.note("  " + command) }
        }
    }

    private func note(_ text: String) { Terminal.note(Terminal.fitted(text)) }

    /// The choices in 80 columns.
    private func table(_ choices: [ConfigurationChoice]) -> String {
        choices.map { choice in
            Terminal.paragraph("\(choice.key): \(choice.value)", indent: 4) + Terminal.paragraph("    " + choice.because, indent: 4)
        }.joined()
    }
}
