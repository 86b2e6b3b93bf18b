import FoundationEssentials
import SwiftProtobuf
import VidConfig
import VidSystem
import VidTensor

/// Reads the CNN of an ONNX model that `vidclass export` wrote: of the whole model, or of its encoder.
///
/// Its parameters have our names and ONNX's layouts: kernels (filters, channels / groups, rows, columns). The configuration in its metadata
/// tells the architecture and the preprocessing.
enum ONNXWeights {
    /// Whether a file begins as an ONNX model does: with a small version, and the producer's name or what follows it. The fourth byte is a
    /// length there, and zero in safetensors files.
    static func begins(_ start: [UInt8]) -> Bool {
        start.count > 3 && start[0] == 0x08 && start[1] < 0x80 && [0x12, 0x1A, 0x3A].contains(start[2]) && start[3] != 0
    }

    /// The most bytes of a configuration.
    private static let longestText = 1 << 18

    static func read(_ file: RegularFile) throws -> ImportedWeights {
        let path = file.path
        let bytes = try RegularFile.contents(path, limit: Int(Int32.max))
        guard let model = try? ONNXModelProto(serializedBytes: bytes) else {
            throw VidclassError.file(path, "it begins as an ONNX model does, but is damaged or cut short")
        }
        guard let text = model.metadataProps.first(where: { $0.key == "config" })?.value, text.utf8.count <= longestText,
            let config = try? JSONParser.parse(text)
        else {
            throw VidclassError.file(
                path,
                "an ONNX model without a vidclass configuration in its metadata; only models that `\(ShellText.vidclass("export"))` wrote "
                    + "are read")
        }
        let (architecture, preprocessing) = try WeightsFile.exportedNetwork(config, path)
        let tensors = Dictionary(model.graph.initializer.map { ($0.name, $0) }) { first, _ in first }
        // Before memory is taken for them: a small file can name a large network.
        var found: [String: ONNXTensorProto] = [:]
        for (name, shape) in try ImportedWeights.tensors(of: architecture) {
            let expected = layout(shape)
            guard let proto = tensors["cnn/" + name], proto.dataType == .float, proto.dims.map(Int.init(clamping:)) == expected,
                proto.rawData.count == Size.product(shape.count, MemoryLayout<Float>.stride)
            else {
                let what = tensors["cnn/" + name].map { "is \($0.dims)" } ?? "is missing"
                throw VidclassError.file(
                    path, "tensor \("cnn/\(name)".quoted) \(what), expected floats \(expected) for \(architecture.label)")
            }
            found[name] = proto
        }
        // Of the head: `recurrent_0/kernel` and so on.
        let rest = tensors.keys.filter { $0.contains("/") && !$0.hasPrefix("cnn/") && !$0.hasPrefix("preprocessing/") }
        let ignored = Set(rest.map { String($0.prefix { $0 != "/" }) }).sorted()
        return try ImportedWeights(
            source: path, sha256: file.sha256(), preprocessing: preprocessing, ignored: ignored, architecture: architecture
        ) { name, tensor in
            if let proto = found[name] { fill(tensor, from: proto) }
        }
    }

    /// (rows, columns, channels / groups, filters) of a kernel. One of depthwise convolutions, (rows, columns, channels), has one channel for
    /// each filter.
    private static func kernel(_ shape: Shape) -> [Int]? {
        let own = shape.dimensions
        return own.count == 4 ? own : own.count == 3 ? [own[0], own[1], 1, own[2]] : nil
    }

    /// The shape of a parameter in ONNX.
    private static func layout(_ shape: Shape) -> [Int] { kernel(shape).map { [$0[3], $0[2], $0[0], $0[1]] } ?? shape.dimensions }

    private static func fill(_ tensor: Tensor, from proto: ONNXTensorProto) {
        proto.rawData.withUnsafeBytes { bytes in
            func value(_ index: Int) -> Float { bytes.loadUnaligned(fromByteOffset: 4 * index, as: Float.self) }
            guard let kernel = ONNXWeights.kernel(tensor.shape) else {
                for index in 0..<tensor.count { tensor.base[index] = value(index) }
                return
            }
            let (places, channels, filters) = (kernel[0] * kernel[1], kernel[2], kernel[3])
            for place in 0..<places {
                for channel in 0..<channels {
                    for filter in 0..<filters {
                        tensor.base[(place * channels + channel) * filters + filter] = value((filter * channels + channel) * places + place)
                    }
                }
            }
        }
    }
}
