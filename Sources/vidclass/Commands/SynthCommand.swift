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
            Textured shapes move, turn or grow; a single frame tells nothing about the class. With --features, the clips are vectors \
            over time, such as poses, in NumPy's format. Good for trying things out:

              vidclass synth data/synth
              vidclass synth data/small --classes 2 --clips-per-class 20 --seed 7
              vidclass train --config Configs/smoke.json
              vidclass synth data/poses --features 34
            """)

    @Argument(help: "The folder to write to: DIRECTORY/<class>/<number>.bin, or .npy with --features.", completion: .directory)
    var directory: String

    @Option(help: ArgumentHelp("Number of classes, from 2 to \(SyntheticClips.labels.count).", valueName: "n"))
    var classes = 4

    @Option(help: ArgumentHelp("Clips per class.", valueName: "n"))
    var clipsPerClass = 100

    @Option(help: ArgumentHelp("Frames per clip.", valueName: "n"))
    var frames = 8

    @Option(help: ArgumentHelp("Rows per frame (default: 32).", valueName: "r"))
    var rows: Int?

    @Option(help: ArgumentHelp("Columns per frame (default: 32).", valueName: "c"))
    var columns: Int?

    @Option(help: ArgumentHelp("Numbers per frame: vectors over time instead of pictures.", valueName: "n"))
    var features: Int?

    @Option(help: ArgumentHelp("Random seed; the same seed gives the same clips.", valueName: "s"))
    var seed: UInt64 = 1

    func validate() throws {
        try checkRange("--classes", classes, 2...SyntheticClips.labels.count)
        try checkRange("--clips-per-class", clipsPerClass, 1...100_000)
        try checkRange("--frames", frames, 2...10_000)
        try checkRange("--rows", rows ?? 32, 8...16384)
        try checkRange("--columns", columns ?? 32, 8...16384)
        if let features {
            try checkRange("--features", features, (classes > 4 ? 8 : 4)...16384)
            if rows != nil || columns != nil { throw ValidationError("Vectors have --features, and no --rows or --columns.") }
        }
    }

    func run() async throws {
        if let features {
            try await write(SyntheticVectors(classes: classes, frames: frames, features: features, seed: seed), "\(features) features")
        } else {
            let (rows, columns) = (rows ?? 32, columns ?? 32)
            try await write(
                SyntheticClips(classes: classes, frames: frames, rows: rows, columns: columns, seed: seed), "\(rows) x \(columns)")
        }
    }

    private func write(_ clips: some SyntheticData, _ frame: String) async throws {
        let bar = ProgressBar()
        try await clips.write(to: directory, clipsPerClass: clipsPerClass) { done, total in
            bar.update("synth", done: done, total: total, detail: "\(done)/\(total) clips")
        }
        bar.clear()
        try Terminal.output(
            "\(directory.printable): \(Formatting.count(classes * clipsPerClass, "clip")) with \(frames) frames of \(frame), "
                + "\(Formatting.count(classes, "class", "classes")): \(clips.labels.joined(separator: ", "))\n")
    }
}
