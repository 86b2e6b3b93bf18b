// Trains a classifier from a Swift program, and uses it:
//
//     moves [FOLDER]
//
// FOLDER holds one folder of clips per class. Without it, the program makes clips of a square that moves to the left or to the right.
import Foundation
import VidClassKit

@main
struct Moves {
    static func main() async throws {
        let work = FileManager.default.temporaryDirectory.appending(path: "moves-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: work) }
        let data = try CommandLine.arguments.dropFirst().first ?? makeClips(in: work + "/clips")

        // A small network, trained from random weights.
        let json = """
            { "model": { "input": { "frames": 4, "rows": 16, "columns": 16 },
                         "cnn": { "architecture": { "blocks": [[8], [8]] }, "weights": null, "trainable": true, "pooling": "flatten" },
                         "recurrent": [ { "type": "lstm", "units": 16 } ], "hidden": [] },
              "data": { "validation_split": 0.25, "preprocessing": "unit" },
              "optimizer": { "learning_rate": 0.01 },
              "training": { "batch_size": 8, "epochs": 12 } }
            """
        let configuration = try Configuration(json: json)
            .setting("data.path", to: data)
            .setting("output.directory", to: work + "/runs")
        let set = try DataSet(configuration)
        print("\(set.clips.count) clips in \(set.classes.count) classes: \(set.classes.joined(separator: ", "))")

        var model: String?
        for try await event in Training(configuration, usesCache: false).events() {
            switch event {
            case .started(_, _, let epochs, _): print("training for \(epochs) epochs")
            case .epoch(let epoch): print("epoch \(epoch.number)/\(epoch.planned): loss \(epoch.loss)" + (epoch.isBest ? " (best)" : ""))
            case .warning(let text): print("warning: \(text)")
            case .finished(let result): model = result.checkpoint
            default: break
            }
        }
        guard let model else { return print("the training was stopped") }

        let checkpoint = try Checkpoint(model)
        let evaluation = try await checkpoint.evaluate(usesCache: false)
        print("accuracy on \(evaluation.clips.count) held-out clips: \(evaluation.accuracy)")
        for metrics in evaluation.perClass { print("  \(metrics.label): recall \(metrics.recall)") }

        // Frames in memory, such as those of a camera.
        let predictor = try Predictor(checkpoint)
        let prediction = try predictor.predict(frames(number: 1000, toTheRight: true))
        for choice in prediction.ranked { print("\(choice.label): \(choice.score)") }
    }

    /// Writes clips of a square that moves, one folder per class.
    static func makeClips(in folder: String) throws -> String {
        for (label, toTheRight) in [("left", false), ("right", true)] {
            try FileManager.default.createDirectory(atPath: "\(folder)/\(label)", withIntermediateDirectories: true)
            for number in 0..<24 { try frames(number: number, toTheRight: toTheRight).write(to: "\(folder)/\(label)/\(number).bin") }
        }
        return folder
    }

    /// Four frames of 16 x 16 pixels of a bright square that moves by two pixels from frame to frame.
    static func frames(number: Int, toTheRight: Bool) throws -> Frames {
        let (frames, size) = (4, 16)
        var pixels = [UInt8](repeating: 20, count: frames * size * size * 3)
        for frame in 0..<frames {
            let step = 2 * (toTheRight ? frame : frames - 1 - frame)
            let (top, left) = (number * 5 % 12, number * 7 % 6 + step)
            for row in top..<top + 4 {
                for column in left..<left + 4 {
                    for channel in 0..<3 {
                        pixels[((frame * size + row) * size + column) * 3 + channel] = UInt8(120 + number * 13 % 100 + channel * 10)
                    }
                }
            }
        }
        return try Frames(pixels, shape: InputShape(frames: frames, rows: size, columns: size), layout: .channelsLast)
    }
}
