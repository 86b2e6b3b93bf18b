import ArgumentParser
import VidConfig
import VidData
import VidReport
import VidRun
import VidSystem

struct InitCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "init",
        abstract: "Check a folder of clips and write a config for `train`, with a reason for each choice.",
        usage: "vidclass init <data> [--output <file>] [<options>]",
        discussion: """
              vidclass init videos
              vidclass init videos --output videos.json
              vidclass train --config videos.json
            """)

    @Argument(help: "A folder or CSV of labelled clips.", completion: .file(extensions: ["csv"]))
    var data: String

    @Option(help: ArgumentHelp("The config to write.", valueName: "file"), completion: .configs)
    var output = "config.json"

    @Flag(help: "Overwrite an existing file.")
    var force = false

    @OptionGroup var threads: ThreadOptions

    @OptionGroup var features: FeatureCacheOptions

    func run() async throws {
        if !force, (try? SystemCall.status(output, followingLink: false)) != nil {
            throw VidclassError(.usage, "\(output.printable) exists already; name another file with --output, or overwrite it with --force")
        }
        let display = RunDisplay()
        defer { display.clear() }
        let plan = try await InitPlan(
            for: data, in: Runtime(threads.makeWorkers(), cache: try features.cache(), display: display))
        let report = plan.report
        // Makes sure that the file can be read.
        _ = try RunConfiguration(json: plan.text, source: output)
        try AtomicFile.write(to: output) { try $0.write(plan.text.utf8) }
        for remark in report.remarks { Terminal.note("note: \(remark)") }
        if let error = report.badClipsError { Terminal.note("warning: \(error.message)") }
        if let error = report.leakError { Terminal.note("warning: \(error.message)") }
        try Terminal.output(table(plan.choices))
        Terminal.note("wrote \(output.printable). Train with: vidclass train --config \(ShellText.quoted(output))")
    }

    /// The choices in 80 columns.
    private func table(_ choices: [InitPlan.Choice]) -> String {
        choices.map { choice in
            Terminal.paragraph("\(choice.key) = \(choice.value)", indent: 4)
                + Terminal.paragraph("    " + choice.because, indent: 4)
        }.joined()
    }
}
