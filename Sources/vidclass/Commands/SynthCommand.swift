import ArgumentParser
import VidData
import VidReport
import VidTensor

struct SynthCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "synth",
        abstract: "Make synthetic clips whose class is only in the order of their frames.",
        usage: "vidclass synth <directory> [<options>]",
        discussion: """
            Textured shapes that move, turn or grow; any single frame says nothing about the class. Good for trying things out:

              vidclass synth data/synth
              vidclass synth data/small --classes 2 --clips-per-class 20 --seed 7
              vidclass train --config Configs/smoke.json
            """)

    @Argument(help: "The folder to write to: DIRECTORY/<class>/<number>.bin", completion: .directory)
    var directory: String

    @Option(help: ArgumentHelp("Classes, from 2 to \(SyntheticClips.labels.count).", valueName: "n"))
    var classes = 4

    @Option(help: ArgumentHelp("Clips of each class.", valueName: "n"))
    var clipsPerClass = 100

    @Option(help: ArgumentHelp("Frames of each clip.", valueName: "n"))
    var frames = 8

    @Option(help: ArgumentHelp("Rows of each frame.", valueName: "r"))
    var rows = 32

    @Option(help: ArgumentHelp("Columns of each frame.", valueName: "c"))
    var columns = 32

    @Option(help: ArgumentHelp("Seed: the same one makes the same clips.", valueName: "s"))
    var seed: UInt64 = 1

    func validate() throws {
        func check(_ name: String, _ value: Int, _ range: ClosedRange<Int>) throws {
            guard range.contains(value) else {
                throw ValidationError("\(name) takes a number from \(range.lowerBound) to \(range.upperBound), not \(value).")
            }
        }
        try check("--classes", classes, 2...SyntheticClips.labels.count)
        try check("--clips-per-class", clipsPerClass, 1...100_000)
        try check("--frames", frames, 2...10_000)
        try check("--rows", rows, 8...16384)
        try check("--columns", columns, 8...16384)
    }

    func run() async throws {
        let clips = try SyntheticClips(classes: classes, frames: frames, rows: rows, columns: columns, seed: seed)
        let bar = ProgressBar()
        try await clips.write(to: directory, clipsPerClass: clipsPerClass) { done, total in
            bar.update("synth", done: done, total: total, detail: "\(done)/\(total) clips")
        }
        bar.clear()
        try Terminal.output(
            "\(directory): \(Formatting.count(classes * clipsPerClass, "clip")) of \(frames) frames \(rows) x \(columns), "
                + "\(Formatting.count(classes, "class", "classes")): \(clips.labels.joined(separator: ", "))\n")
    }
}
