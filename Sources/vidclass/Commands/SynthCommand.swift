import ArgumentParser
import VidData
import VidReport
import VidSystem

struct SynthCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "synth",
        abstract: "Make synthetic clips whose class depends only on the order of their frames.",
        usage: "vidclass synth <directory> [<options>]",
        discussion: """
            Textured shapes move, turn or grow; a single frame tells nothing about the class. Good for trying things out:

              vidclass synth data/synth
              vidclass synth data/small --classes 2 --clips-per-class 20 --seed 7
              vidclass train --config Configs/smoke.json
            """)

    @Argument(help: "The folder to write to: DIRECTORY/<class>/<number>.bin.", completion: .directory)
    var directory: String

    @Option(help: ArgumentHelp("Number of classes, from 2 to \(SyntheticClips.labels.count).", valueName: "n"))
    var classes = 4

    @Option(help: ArgumentHelp("Clips per class.", valueName: "n"))
    var clipsPerClass = 100

    @Option(help: ArgumentHelp("Frames per clip.", valueName: "n"))
    var frames = 8

    @Option(help: ArgumentHelp("Rows per frame.", valueName: "r"))
    var rows = 32

    @Option(help: ArgumentHelp("Columns per frame.", valueName: "c"))
    var columns = 32

    @Option(help: ArgumentHelp("Random seed; the same seed gives the same clips.", valueName: "s"))
    var seed: UInt64 = 1

    func validate() throws {
        try checkRange("--classes", classes, 2...SyntheticClips.labels.count)
        try checkRange("--clips-per-class", clipsPerClass, 1...100_000)
        try checkRange("--frames", frames, 2...10_000)
        try checkRange("--rows", rows, 8...16384)
        try checkRange("--columns", columns, 8...16384)
    }

    func run() async throws {
        let clips = try SyntheticClips(classes: classes, frames: frames, rows: rows, columns: columns, seed: seed)
        let bar = ProgressBar()
        try await clips.write(to: directory, clipsPerClass: clipsPerClass) { done, total in
            bar.update("synth", done: done, total: total, detail: "\(done)/\(total) clips")
        }
        bar.clear()
        try Terminal.output(
            "\(directory.printable): \(Formatting.count(classes * clipsPerClass, "clip")) with \(frames) frames of \(rows) x \(columns), "
                + "\(Formatting.count(classes, "class", "classes")): \(clips.labels.joined(separator: ", "))\n")
    }
}
