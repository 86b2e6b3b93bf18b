import Testing
import VidClassKit
import VidTestSupport

/// Clips of 2 frames of 8 x 8 pixels in two classes, one bright and one dark, and a configuration that learns them in a moment.
struct KitTraining {
    let box: TestFolder
    let configuration: Configuration

    init(epochs: Int = 3) throws {
        box = try TestFolder()
        for (label, level) in [("bright", 200), ("dark", 40)] {
            try box.makeFolder("data/\(label)")
            for number in 0..<8 { try KitTraining.frames(level, number).write(to: box("data/\(label)/\(number).bin")) }
        }
        configuration = try Configuration(
            json: """
                { "seed": 3,
                  "model": { "input": { "frames": 2, "rows": 8, "columns": 8 },
                             "cnn": { "architecture": { "blocks": [[2]] }, "weights": null, "trainable": true },
                             "recurrent": [ { "type": "lstm", "units": 4 } ], "hidden": [] },
                  "data": { "validation_split": 0.25, "preprocessing": "unit", "leak_check": "off" },
                  "optimizer": { "learning_rate": 0.05 },
                  "output": { "tensorboard": false },
                  "training": { "batch_size": 4, "epochs": \(epochs) } }
                """
        ).setting("data.path", to: box("data")).setting("output.directory", to: box("runs"))
    }

    /// Frames around a level of brightness, different for each number.
    static func frames(_ level: Int, _ number: Int, layout: Frames.Layout = .channelsFirst) throws -> Frames {
        let pixels = (0..<2 * 3 * 8 * 8).map { UInt8(level + ($0 * 31 + number * 17) % 40) }
        return try Frames(pixels, shape: InputShape(frames: 2, rows: 8, columns: 8), layout: layout)
    }

    /// Trains to the end.
    func result() async throws -> TrainingResult {
        var result: TrainingResult?
        for try await event in Training(configuration, threads: 1, usesCache: false).events() {
            if case .finished(let end) = event { result = end }
        }
        return try #require(result)
    }
}

/// Runs `body` and returns the library's error.
func error(_ body: () async throws -> Void) async -> VidClassError? {
    do { try await body() } catch { return error as? VidClassError }
    return nil
}
