import ArgumentParser
import VidData
import VidReport
import VidSystem

struct PackCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pack",
        abstract: "Convert a tree of videos to a tree of .bin clips, decoded once and for all.",
        usage: "vidclass pack <source> <destination> [<options>]",
        discussion: """
            Frames are sampled evenly over the video; the short side is resized and the centre cropped. An interrupted conversion \
            can be repeated: finished clips are kept. --frames 0 keeps every frame.

              vidclass pack videos clips
              vidclass pack videos clips --frames 16 --rows 112 --columns 112
              vidclass pack videos clips --frames 0 --fps 10
            """)

    @Argument(help: "A folder of videos (or folders of pictures, or .npy clips), or one of them.", completion: .clips)
    var source: String

    @Argument(help: "The folder to write, or for one file the .bin file.", completion: .directory)
    var destination: String

    @Option(help: ArgumentHelp("Frames per clip, sampled evenly; 0 keeps all.", valueName: "n"))
    var frames = 16

    @Option(help: ArgumentHelp("Rows per frame.", valueName: "r"))
    var rows = 224

    @Option(help: ArgumentHelp("Columns per frame.", valueName: "c"))
    var columns = 224

    @Option(
        help: ArgumentHelp("Frame rate before sampling; by default the video's own. For folders of pictures: their rate.", valueName: "f"))
    var fps: Double?

    func validate() throws {
        try checkRange("--frames", frames, 0...1_000_000)
        try checkRange("--rows", rows, 1...16384)
        try checkRange("--columns", columns, 1...16384)
        if let fps, !(fps > 0 && fps <= 1000) { throw ValidationError("--fps takes a number over 0 up to 1000, not \(fps).") }
    }

    func run() async throws {
        var options = PackJob.Options()
        options.selection = FrameSelection(frames: frames == 0 ? nil : frames, framesPerSecond: fps)
        options.rows = rows
        options.columns = columns
        let job = try PackJob(source: source, destination: destination, options: options)
        let bar = ProgressBar()
        let report = try await job.run { progress in
            bar.update("pack", done: progress.done, total: progress.total, detail: "\(progress.done)/\(progress.total) clips")
        }
        bar.clear()
        try Terminal.output(
            "\(destination.printable): \(Formatting.count(report.packed.count, "clip")) packed"
                + (report.skipped.isEmpty ? "" : ", \(Formatting.grouped(report.skipped.count)) already there") + "\n")
        guard report.failures.isEmpty else {
            for failure in report.failures { Terminal.note(Terminal.fitted("failed: \(failure.error.message)")) }
            let kinds = report.failures.map(\.error.kind)
            let kind =
                kinds.contains(.inputOutput)
                ? VidclassError.Kind.inputOutput : .common(kinds, succeeded: report.packed.count + report.skipped.count)
            throw VidclassError(
                kind, "\(source.printable): \(Formatting.count(report.failures.count, "file")) could not be packed (listed above)")
        }
    }
}
