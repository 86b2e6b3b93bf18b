import VidConfig
import VidSystem
import VidTensor

/// A tensor with the name it has in a file. Whoever makes one keeps the values' owner alive.
package struct NamedTensor: Sendable {
    package let name: String
    package let tensor: Tensor

    package init(_ name: String, _ tensor: Tensor) {
        self.name = name
        self.tensor = tensor
    }

    var bytes: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: tensor.base, count: tensor.count * MemoryLayout<Float>.stride)
    }
}

/// Writes safetensors files of single-precision tensors: the same tensors and metadata give the same bytes.
enum SafetensorsWriter {
    /// The length and the JSON of a header: metadata first, sorted by key, then the tensors in the order given, which is
    /// the order of their values; blanks at the end let the values begin at a multiple of 64.
    static func header(_ path: String, metadata: [String: String], tensors: [NamedTensor]) throws -> [UInt8] {
        var members: [(String, JSONNode)] = []
        if !metadata.isEmpty {
            let sorted = metadata.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
            members.append(("__metadata__", .object(sorted.map { ($0.key, .string($0.value)) })))
        }
        var end = 0
        var names = Set<String>()
        for tensor in tensors {
            precondition(names.insert(tensor.name).inserted && tensor.name != "__metadata__", "two tensors named \(tensor.name)")
            let shape = tensor.tensor.shape.dimensions.map { JSONNode.integer($0) }
            let start = end
            end += tensor.bytes.count
            members.append((tensor.name, ["dtype": "F32", "shape": .array(shape), "data_offsets": [.integer(start), .integer(end)]]))
        }
        var text = Array(JSONNode.object(members).text().utf8)
        text += repeatElement(UInt8(ascii: " "), count: (64 - (8 + text.count) % 64) % 64)
        guard text.count <= SafetensorsHeader.maximumLength else {
            throw VidclassError(
                .other,
                "\(path): its header would take \(text.count) bytes, more than the \(SafetensorsHeader.maximumLength) that are read back")
        }
        return (0..<8).map { UInt8(truncatingIfNeeded: text.count >> (8 * $0)) } + text
    }
}
