import Foundation
import Testing
import VidSystem
import VidTestSupport

/// `export` as a user calls it. `VidExportTests` look into the files, and `maintain.export_check` runs them in other programs.
@Suite struct ExportCommandTests {
    private let training: TinyTraining
    private var box: TestFolder { training.box }

    init() throws {
        training = try TinyTraining(training: #""epochs": 1, "batch_size": 4"#)
        let trained = try training.run()
        try #require(trained.status == 0, "\(trained.errors)")
    }

    private func export(_ words: String...) throws -> CommandLineTool.Result { try training.run(["export"] + words) }

    /// The same model gives the same bytes, under the format's name unless another is given.
    @Test func everyFormatIsWritten() throws {
        for (format, files) in [("onnx", ["model.onnx"]), ("keras", ["model.keras"]), ("torch", ["model.safetensors", "model.py"])] {
            let result = try export("runs/train", "--format", format)
            #expect(result.status == 0 && result.errors == "", "\(result.errors)")
            let written = result.output.split(separator: "\n").map(String.init)
            #expect(written == files)
            let ending = String(files[0].split(separator: ".")[1])
            let again = try export("runs/train/weights/best.safetensors", "--format", format, "--output", "other.\(ending)")
            #expect(again.status == 0 && again.output.hasPrefix("other.\(ending)\n"), "\(again.errors)")
            #expect(try box.bytes("other.\(ending)") == box.bytes(files[0]))
            for part in ["encoder", "head"] {
                let result = try export("runs/train", "--format", format, "--part", part, "--output", "\(part).\(ending)")
                #expect(result.status == 0, "\(result.errors)")
                #expect(try box.bytes("\(part).\(ending)") != box.bytes(files[0]))
            }
        }
        #expect(try box.names().filter { $0.hasSuffix(".tmp") } == [])
    }

    @Test func whatCannotBeWrittenIsNamed() throws {
        let best = "runs/train/weights/best.safetensors"
        let before = try box.bytes(best)
        for (words, status, text) in [
            (["runs/train"], 64, "--format"), (["runs/train", "--format", "tflite"], 64, "tflite"),
            (["runs/train", "--format", "onnx", "--opset", "16"], 64, "--opset takes a number from 17 to 21"),
            (["absent.safetensors", "--format", "onnx"], 66, "absent.safetensors"),
            (["config.json", "--format", "onnx"], 65, "config.json"),
            (["runs/train", "--format", "onnx", "--output", "absent/model.onnx"], 74, "absent/model.onnx"),
            ([best, "--format", "torch", "--output", "runs/../\(best)"], 64, "is the model that is to be exported"),
        ] as [([String], Int32, String)] {
            let result = try training.run(["export"] + words)
            #expect(result.status == status && result.errors.contains(text), "\(words): \(result.status) \(result.errors)")
            #expect(result.output == "")
        }
        #expect(try box.bytes(best) == before)
        #expect(try box.names().filter { $0.hasPrefix("model") } == [])
    }
}
