import Foundation
import VidCheckpoint
import VidConfig
import VidModel
import VidSystem
import VidTensor
import VidTestSupport

func bytes(of path: String) throws -> [UInt8] { Array(try Data(contentsOf: URL(fileURLWithPath: path))) }

/// A safetensors file byte by byte: the header's length, the header as it is given, the values.
func safetensors(_ header: String, values: [UInt8] = []) -> [UInt8] { FileBytes.safetensors(header, values: values) }

/// The same with a right checksum: the header must hold `"checksum":"` and 64 zeros.
func sealed(_ header: String, values: [UInt8] = []) -> [UInt8] {
    let bytes = safetensors(header, values: values)
    let key = Array(#""checksum":""#.utf8)
    guard let place = bytes.indices.first(where: { bytes[$0...].starts(with: key) }) else { return bytes }
    return bytes.putting(
        Array(SHA256.digest(bytes).map { String(0x100 + Int($0), radix: 16).dropFirst() }.joined().utf8), at: place + key.count)
}

let noChecksum = #""checksum":"\#(String(repeating: "0", count: 64))""#

/// The `VidclassError` that `body` throws.
func failure(_ body: () throws -> Void) -> VidclassError? {
    do { try body() } catch { return error as? VidclassError }
    return nil
}

/// The `VidclassError` that the asynchronous `body` throws.
func asyncFailure(_ body: () async throws -> Void) async -> VidclassError? {
    do { try await body() } catch { return error as? VidclassError }
    return nil
}

/// Reads a weights file with the HDF5 library in this process.
func read(_ path: String) async throws -> ImportedWeights { try await ImportedWeights.read(path, hdf5: .inThisProcess) }

func failure(reading path: String) async -> VidclassError? { await asyncFailure { _ = try await read(path) } }

/// A file made by maintain.goldens hdf5.
func fixture(_ name: String) -> String {
    Bundle.module.resourceURL?.appendingPathComponent("Fixtures/\(name)").path ?? "Fixtures/\(name)"
}

/// Value `index` of tensor `number` in the fixtures: the formula of maintain.goldens hdf5.
func fixtureValue(_ index: Int, _ number: Int) -> Float { Float((7 * index + 13 * number) % 101 - 50) / 64 }

func fixtureValues(_ number: Int, _ count: Int) -> [Float] { (0..<count).map { fixtureValue($0, number) } }

/// The tensors of the fixtures' network in vidclass's names and layout.
let fixtureTensors: [(name: String, shape: [Int], number: Int)] = [
    ("block1_conv1/kernel", [3, 3, 3, 2], 1), ("block1_conv1/bias", [2], 101),
    ("block1_conv2/kernel", [3, 3, 2, 3], 2), ("block1_conv2/bias", [3], 102),
    ("block2_conv1/kernel", [3, 3, 3, 4], 3), ("block2_conv1/bias", [4], 103),
]

/// A model's store: the fixtures' CNN for clips of so many channels, and one tensor of a head.
func fixtureStore(channels: Int = 3) throws -> ParameterStore {
    var layout = ParameterLayout()
    for (index, tensor) in fixtureTensors.enumerated() {
        let shape = index == 0 ? [3, 3, channels, 2] : tensor.shape
        _ = layout.add("cnn/" + tensor.name, Shape(shape), .zeros, trainable: index >= 4)
    }
    _ = layout.add("output/kernel", [4, 3], .ones)
    return try ParameterStore(layout)
}
