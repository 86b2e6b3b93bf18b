import Foundation
import VidConfig
import VidModel
import VidTensor

func bytes(of path: String) throws -> [UInt8] { Array(try Data(contentsOf: URL(fileURLWithPath: path))) }

/// A safetensors file byte by byte: the header's length, the header as it is given, the values.
func safetensors(_ header: String, values: [UInt8] = []) -> [UInt8] {
    let text = Array(header.utf8)
    return (0..<8).map { UInt8(truncatingIfNeeded: text.count >> (8 * $0)) } + text + values
}

/// The error of `body` as a `VidclassError`; a traps-free way to look at its message.
func failure(_ body: () throws -> Void) -> VidclassError? {
    do {
        try body()
        return nil
    } catch {
        return error as? VidclassError
    }
}

/// Value `index` of tensor `number` in the fixtures: the formula of Scripts/make_hdf5_fixtures.py.
func fixtureValue(_ index: Int, _ number: Int) -> Float { Float((7 * index + 13 * number) % 101 - 50) / 64 }

func fixtureValues(_ number: Int, _ count: Int) -> [Float] { (0..<count).map { fixtureValue($0, number) } }

/// The tensors of the fixtures' network in vidclass's names and layout.
let fixtureTensors: [(name: String, shape: [Int], number: Int)] = [
    ("block1_conv1/kernel", [3, 3, 3, 2], 1), ("block1_conv1/bias", [2], 101),
    ("block1_conv2/kernel", [3, 3, 2, 3], 2), ("block1_conv2/bias", [3], 102),
    ("block2_conv1/kernel", [3, 3, 3, 4], 3), ("block2_conv1/bias", [4], 103),
]

/// A model's store: the fixtures' CNN for clips of so many channels, and one tensor of a head.
func fixtureStore(channels: Int = 3) -> ParameterStore {
    var layout = ParameterLayout()
    for (index, tensor) in fixtureTensors.enumerated() {
        let shape = index == 0 ? [3, 3, channels, 2] : tensor.shape
        _ = layout.add("cnn/" + tensor.name, Shape(shape), .zeros, trainable: index >= 4)
    }
    _ = layout.add("output/kernel", [4, 3], .ones)
    return ParameterStore(layout)
}
