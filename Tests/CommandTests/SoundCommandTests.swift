import Foundation
import Testing
import VidTensor
import VidTestSupport

/// Sound files through the program: rising and falling tones, told apart by direction alone.
@Suite struct SoundCommandTests {
    private static let config = """
        { "seed": 5,
          "model": { "input": { "frames": 3, "channels": 1, "rows": 24, "columns": 24 },
                     "cnn": { "architecture": { "blocks": [[8], [16]] }, "weights": null, "trainable": true, "pooling": "flatten" },
                     "recurrent": [ { "type": "gru", "units": 16 } ],
                     "hidden": [ { "type": "dense", "units": 16 } ] },
          "optimizer": { "type": "adam", "learning_rate": 0.003 },
          "data": { "path": "sounds", "validation_split": 0.3, "preprocessing": "symmetric", "short_clips": "mask",
                    "audio": { "sample_rate": 8000, "n_fft": 400, "hop_length": 100, "fmin": 100, "fmax": 3600, "top_db": 40 } },
          "training": { "epochs": 12, "batch_size": 6 } }
        """

    /// A WAV file of 16-bit samples at 8 kHz: 0.6 to 0.9 seconds between two random frequencies, in noise.
    private func tone(rising: Bool, seed: UInt64) -> [UInt8] {
        var random = RandomGenerator(seed: seed)
        let count = Int(random.uniform(4800, 7200))
        let (low, high) = (Double(random.uniform(200, 800)), Double(random.uniform(1600, 3200)))
        let (first, last) = rising ? (low, high) : (high, low)
        var samples: [UInt8] = []
        for index in 0..<count {
            let t = Double(index) / 8000
            let turns = first * t + (last - first) * t * t * 8000 / (2 * Double(count))
            let value = 0.3 * cos(2 * Double.pi * turns) + 0.03 * Double(random.normal())
            let integer = UInt16(bitPattern: Int16(max(-1, min(1, value)) * 32767))
            samples += [UInt8(truncatingIfNeeded: integer), UInt8(integer >> 8)]
        }
        func bytes(_ value: Int, _ count: Int) -> [UInt8] { (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) } }
        return Array("RIFF".utf8) + bytes(samples.count + 36, 4) + Array("WAVEfmt ".utf8) + bytes(16, 4) + bytes(1, 2) + bytes(1, 2)
            + bytes(8000, 4) + bytes(16000, 4) + bytes(2, 2) + bytes(16, 2) + Array("data".utf8) + bytes(samples.count, 4) + samples
    }

    @Test func trainEvalPredictAndInspect() throws {
        let box = try TestFolder()
        for number in 0..<24 {
            for rising in [true, false] {
                try box.write(
                    "sounds/\(rising ? "rising" : "falling")/\(number).wav",
                    tone(rising: rising, seed: UInt64(2 * number) + (rising ? 1 : 0)))
            }
        }
        try box.write("config.json", text: Self.config)
        try box.succeed("train", "--config", "config.json", "--quiet", "--json")
        let evaluated = try box.run("eval", "--json")
        let evaluation = try #require(try JSONSerialization.jsonObject(with: Data(evaluated.output.utf8)) as? [String: Any])
        #expect(evaluation["clips"] as? Int == 14)
        // 14 held out: by chance 12 or more are right in one of 150 trainings.
        #expect(try #require(evaluation["categorical_accuracy"] as? Double) >= 12.0 / 14)

        // Sounds of other seeds: unseen ones.
        for number in 0..<5 { try box.write("new/\(number).wav", tone(rising: number % 2 == 0, seed: UInt64(1000 + number))) }
        let predicted = try box.run("predict", "new", "--format", "csv")
        #expect(predicted.status == 0, "\(predicted.errors)")
        let labels = predicted.output.split(separator: "\n").dropFirst().map { $0.split(separator: ",")[1] }
        #expect(zip(labels, ["rising", "falling", "rising", "falling", "rising"]).count { $0 == $1 } >= 4, "\(labels)")
        #expect(labels.count == 5)

        let inspected = try box.run("inspect", "new/0.wav", "--json")
        let facts = try #require(try JSONSerialization.jsonObject(with: Data(inspected.output.utf8)) as? [String: Any])
        #expect(facts["kind"] as? String == "sound" && facts["sample_rate"] as? Int == 8000 && facts["sound_channels"] as? Int == 1)

        try box.write("new/bad.wav", text: "no sound\n")
        let mixed = try box.run("predict", "new", "--format", "csv")
        #expect(mixed.status == 65 && mixed.errors.contains("bad.wav: not a clip but a text file"), "\(mixed.errors)")
        let packed = try box.run("pack", "new", "packed")
        #expect(packed.status == 65 && packed.errors.contains("cannot pack sound"), "\(packed.errors)")
    }
}
