import Foundation
import Testing
import VidCheckpoint
import VidConfig
import VidData
import VidSystem
import VidTensor
import VidTestSupport

/// Tiny files that declare huge contents, read by the built program in a small address space. The program compares declared numbers
/// with the file before it allocates anything, so there is the usual error and no crash.
@Suite(.disabled(if: Sanitizer.isOn, "\(Sanitizer.reason)")) struct FlatMemoryTests {
    /// KiB. The program itself takes some 300,000, and OpenBLAS's buffers 131,072 for each of two threads.
    private static let addressSpace = 1_000_000

    private let box: TestFolder

    init() throws { box = try TestFolder() }

    private func refuse(_ arguments: [String], _ name: String, _ reason: String) throws {
        try expectRefusal(box, arguments, naming: name, reason, addressSpace: FlatMemoryTests.addressSpace)
    }

    /// Good files can be read within the limit.
    @Test func goodFilesFit() throws {
        let result = try CommandLineTool.run(
            ["inspect", TrainedModel.best()], in: box.path, addressSpace: FlatMemoryTests.addressSpace)
        #expect(result.status == 0, "\(result.errors)")
        // The limit works: a gigabyte doesn't fit.
        try box.write("config.json", text: FlatMemoryTests.large)
        let large = try CommandLineTool.run(
            ["train", "--config", "config.json", "--set", "data.path=\(TrainedModel.folder()("data"))"], in: box.path,
            addressSpace: FlatMemoryTests.addressSpace)
        #expect(large.status == 65 && large.errors.contains("the model's parameters take"), "\(large.status) \(large.errors)")
    }

    /// Takes some 4 GiB with gradients and moments.
    private static let large = TrainedModel.config.replacing(
        #"{ "type": "dense", "units": 8 }"#, with: #"{ "type": "dense", "units": 16384 }, { "type": "dense", "units": 16384 }"#)

    @Test func clips() throws {
        for (number, shape) in [
            ClipShape(frames: 4_294_967_295, channels: 3, rows: 6, columns: 7),
            ClipShape(frames: 1, channels: 64, rows: 16_384, columns: 16_384),
            ClipShape(frames: 134_217_727, channels: 64, rows: 16_384, columns: 16_384),
        ].enumerated() {
            let header = ClipHeader(element: .float32, shape: shape, framesPerSecond: 0, payloadCRC: 0)
            try box.write("\(number).bin", header.bytes + [0, 0, 0, 0])
            try refuse(["inspect", "\(number).bin"], "\(number).bin", "cut off: expected \(header.payloadBytes) bytes")
            try box.write(
                "\(number).npy",
                FileBytes.npy(
                    "{'descr': '<f4', 'fortran_order': False, 'shape': (\(shape.frames), \(shape.channels), \(shape.rows), \(shape.columns))}"
                ))
            try refuse(["inspect", "\(number).npy"], "\(number).npy", "cut off: expected \(header.payloadBytes) bytes")
            try refuse(
                ["predict", "\(number).bin", "--checkpoint", TrainedModel.best()], "\(number).bin", "cut off")
        }
        try box.write("length.npy", [0x93] + Array("NUMPY".utf8) + [2, 0, 0xFF, 0xFF, 0xFF, 0xFF])
        try refuse(["inspect", "length.npy"], "length.npy", "found a length of 4294967295")
    }

    @Test func weights() throws {
        for length in [1 << 32, UInt64(Int64.max), 1 << 63, .max] {
            try box.write("length.safetensors", FileBytes.littleEndian(length) + Array("{}".utf8))
            try refuse(["weights", "import", "length.safetensors"], "length.safetensors", "should have \(length) bytes")
        }
        try box.write(
            "shape.safetensors",
            FileBytes.safetensors(
                #"{"features.0.weight":{"dtype":"F32","shape":[2048,2048,3,3],"data_offsets":[0,150994944]}}"#, values: [0, 0, 0, 0]))
        try refuse(["weights", "import", "shape.safetensors"], "shape.safetensors", "the file has only 4")
    }

    @Test func checkpoints() throws {
        let clip = try box.write(
            "clip.bin",
            ClipHeader(
                element: .uint8, shape: ClipShape(frames: 1, channels: 1, rows: 1, columns: 1), framesPerSecond: 0,
                payloadCRC: CRC32.of([0])
            ).bytes + [0])
        try Checkpoint.write(
            to: box("model.safetensors"), config: FlatMemoryTests.large, classes: ["a", "b"], state: nil, tensors: [])
        for command in [["predict", clip], ["explain", clip], ["eval", "--data", try TrainedModel.folder()("data")]] {
            try refuse(command + ["--checkpoint", "model.safetensors"], "model.safetensors", "it is not a checkpoint of this model")
        }
    }

    @Test func texts() throws {
        try box.write("deep.json", text: String(repeating: "[", count: 1 << 20))
        try refuse(["train", "--config", "deep.json"], "deep.json", "nested deeper")
        // Two bytes per value in the file, some fifty in memory.
        let values = "{\"x\":[" + String(repeating: "0,", count: (16 << 20) / 2 - 100) + "0]}"
        try box.write("values.safetensors", FileBytes.safetensors(values))
        try refuse(["weights", "import", "values.safetensors"], "values.safetensors", "more than 1048576 values")
        try box.write("columns.csv", text: String(repeating: ",", count: 16 << 20))
        try refuse(["check", "columns.csv"], "columns.csv", "more than 65536 fields")
        try box.write("rows.csv", text: "a\n" + String(repeating: "b,c\n", count: 4 << 20))
        try refuse(["check", "rows.csv"], "rows.csv", "line 1: expected the columns path and label")
    }
}
