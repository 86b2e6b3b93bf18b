import ArgumentParser
import VidCheckpoint
import VidConfig
import VidData
import VidReport
import VidSystem
import VidTensor

struct InitCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "init",
        abstract: "Look at a folder of clips and write a config that is ready for `train`, with its reasons.",
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

    @Flag(help: "Write over a file that is there.")
    var force = false

    @OptionGroup var threads: ThreadOptions

    @OptionGroup var features: FeatureCacheOptions

    func run() async throws {
        if !force, (try? SystemCall.status(output, followingLink: false)) != nil {
            throw VidclassError(.usage, "\(output.printable) is there already; name another with --output, or write over it with --force")
        }
        let set = try DataSet.open(data, split: .none)
        var defaults = RunConfiguration()
        defaults.model.input = CheckCommand.input
        let loader = ClipLoader(defaults)
        let report = try await CheckCommand.check(set, loader: loader, mustFit: false, leakCheck: true, clipCache: try features.clipCache())
        let workers = threads.makeWorkers()
        let speed = GEMMBenchmark.run(workers: workers, seconds: 0.2)
        let plan = try await InitPlan(
            report, library: WeightsLibrary(hdf5: ReadHDF5Command.child), threads: workers.count, gigaflops: speed.allThreads)
        // What is written is what will be read.
        _ = try RunConfiguration(json: plan.text, source: output)
        try AtomicFile.write(to: output) { try $0.write(plan.text.utf8) }
        for remark in report.remarks { Terminal.note("note: \(remark)") }
        if let error = report.badClipsError { Terminal.note("warning: \(error.message)") }
        if let error = report.leakError { Terminal.note("warning: \(error.message)") }
        try Terminal.output(plan.table)
        Terminal.note("wrote \(output.printable). Train with: vidclass train --config \(ShellText.quoted(output))")
    }
}
