import ArgumentParser
import VidExport
import VidReport
import VidRun
import VidSystem

extension ModelExport.Format: ExpressibleByArgument {}
extension ExportedPart: ExpressibleByArgument {}

struct ExportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Write a model for ONNX Runtime, Keras or PyTorch.",
        usage: "vidclass export <checkpoint> --format <format> [<options>]",
        discussion: """
            The file is read back and compared with the model before it gets its name. The preprocessing is part of it: it takes \
            frames as they are in clips, RGB from 0 to 255, and gives the classes' scores.

              vidclass export runs/train --format onnx
              vidclass export runs/train --format onnx --scan --output openvino.onnx
              vidclass export runs/train --format keras --output behaviour.keras
              vidclass export runs/train --format torch --part encoder
            """)

    @Argument(help: "A checkpoint, or the folder of a run for its best model.", completion: .checkpoints)
    var checkpoint: String

    @Option(
        help: """
            onnx: one file for ONNX Runtime, OpenVINO and others. keras: a .keras file for Keras 3. torch: weights in safetensors, and \
            beside them a Python file that rebuilds the model.
            """)
    var format: ModelExport.Format

    @Option(
        help: ArgumentHelp("The file to write; by default model with the format's extension, in this folder.", valueName: "file"),
        completion: .file())
    var output: String?

    @Option(
        help:
            "What to export: the whole model; encoder, from a frame to its features; or head, from a clip's features to the scores.")
    var part = ExportedPart.whole

    @Option(help: ArgumentHelp("The version of ONNX's operators.", valueName: "n"))
    var opset = ModelExport.opsets.lowerBound

    @Flag(
        help: """
            Write ONNX's recurrent layers step by step (Scan) instead of as LSTM and GRU. OpenVINO needs it for hard_sigmoid and linear, and \
            for short clips that are masked.
            """)
    var scan = false

    @Flag(help: "Write an ONNX model that takes clips of any number of frames, not only the training's.")
    var dynamicFrames = false

    func validate() throws {
        try checkRange("--opset", opset, ModelExport.opsets)
        guard format == .onnx || !dynamicFrames else {
            throw ValidationError("--dynamic-frames is for --format onnx, not \(format.rawValue).")
        }
    }

    func run() async throws {
        let model = try SavedModel(path: RunChoice.checkpoint(checkpoint))
        let onnx = ONNXFile.Options(opset: opset, scans: scan, takesAnyFrames: dynamicFrames)
        let export = try model.export(format, part, onnx, version: Program.version)
        for path in try export.write(to: output ?? export.defaultName, checkpoint: model.path) {
            try Terminal.output("\(path.printable)\n")
        }
    }
}
