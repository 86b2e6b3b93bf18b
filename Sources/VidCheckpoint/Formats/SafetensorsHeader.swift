import VidConfig
import VidSystem
import VidTensor

/// One tensor of a safetensors file.
package struct SafetensorsEntry: Sendable, Equatable {
    package let name: String
    package let type: ElementType
    /// At most eight extents, outermost axis first; their product times the type's size is the length of `bytes`.
    package let shape: [Int]
    /// The position of its values in the file.
    package let bytes: Range<Int>

    package var count: Int { bytes.count / type.size }

    /// The shape as `(3, 3, 64, 64)`.
    package var shapeText: String { SafetensorsEntry.text(shape) }

    package static func text(_ shape: [Int]) -> String { "(" + shape.map(String.init).joined(separator: ", ") + ")" }
}

/// The header of a safetensors file: its length as u64, then that many bytes of JSON,
/// `{"__metadata__": {"key": "text"}, "<name>": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}, ...}`.
///
/// It is read more strictly than by the format's own library: keys and names must be unique, fields must be known, and the tensors must
/// cover the rest of the file without a hole, overlap or remainder.
struct SafetensorsHeader {
    /// The longest header that is read, in bytes; a checkpoint's has a few kilobytes.
    static let maximumLength = 16 << 20
    static let maximumRank = 8
    static let maximumNameLength = 1024

    var metadata: [String: String] = [:]
    /// In the order of their bytes.
    var entries: [SafetensorsEntry] = []
    /// The position of the first value in the file.
    let dataStart: Int

    /// Reads only the header of `file`.
    init(_ file: RegularFile) throws {
        guard file.size >= 8 else {
            throw VidclassError.file(file.path, "\(file.size) bytes are too few for a safetensors file (its header's length takes 8)")
        }
        let prefix = try file.bytes(at: 0, count: 8)
        let length = LittleEndian.value(prefix, 0, as: UInt64.self)
        guard !prefix.allSatisfy({ (0x09..<0x7F).contains($0) }) else {
            throw VidclassError.file(
                file.path, "begins with text, so it is not a safetensors file, such as a run's weights/best.safetensors")
        }
        guard length <= UInt64(file.size - 8) else {
            throw VidclassError.file(
                file.path,
                "its header should have \(length) bytes, but only \(file.size - 8) follow; the file is cut short, or not a safetensors file"
            )
        }
        guard length <= UInt64(SafetensorsHeader.maximumLength) else {
            throw VidclassError.file(file.path, "its header has \(length) bytes; at most \(SafetensorsHeader.maximumLength) are read")
        }
        let text = try file.bytes(at: 8, count: Int(length))
        guard text.first == UInt8(ascii: "{") else {
            throw VidclassError.file(file.path, "byte 8: a safetensors header starts with '{'; this is not a safetensors file")
        }
        dataStart = 8 + text.count
        try read(text, file)
    }

    private mutating func read(_ text: [UInt8], _ file: RegularFile) throws {
        let root: JSONNode
        do { root = try JSONParser.parse(text) } catch {
            throw VidclassError.file(file.path, "byte \(8 + error.position.offset) of the header: \(error.message)")
        }
        for member in root.objectMembers ?? [] {
            do {
                if member.key == "__metadata__" {
                    try readMetadata(member.value)
                } else {
                    entries.append(try entry(member.key, member.value, dataEnd: file.size))
                }
            } catch {
                let place = member.key == "__metadata__" ? "__metadata__" : "tensor \(member.key.quoted)"
                throw VidclassError.file(file.path, "byte \(8 + error.node.position.offset): \(place): \(error.reason)")
            }
        }
        var names = Set<String>()
        // guard: tensor-names-once
        if let twice = entries.first(where: { !names.insert($0.name).inserted }) {
            throw VidclassError.file(file.path, "two tensors named \(twice.name.quoted)")
        }
        entries.sort { ($0.bytes.lowerBound, $0.bytes.upperBound) < ($1.bytes.lowerBound, $1.bytes.upperBound) }
        var end = dataStart
        for entry in entries {
            // guard: tensors-without-holes
            guard entry.bytes.lowerBound == end else {
                let fault = entry.bytes.lowerBound < end ? "overlaps the tensor before it" : "leaves a hole before it"
                throw VidclassError.file(
                    file.path, "tensor \(entry.name.quoted) starts at byte \(entry.bytes.lowerBound) and \(fault) (expected byte \(end))")
            }
            end = entry.bytes.upperBound
        }
        guard end == file.size else {
            throw VidclassError.file(file.path, "\(file.size - end) bytes after its last tensor, which ends at byte \(end)")
        }
    }

    private mutating func readMetadata(_ node: JSONNode) throws(Fault) {
        guard let members = node.objectMembers else { throw Fault(node, "expected an object of strings, found \(node.brief)") }
        for member in members {
            guard let text = member.value.stringValue else {
                throw Fault(member.value, "\(member.key.quoted): expected a string, found \(member.value.brief)")
            }
            guard metadata.updateValue(text, forKey: member.key) == nil else {
                throw Fault(member.value, "\(member.key.quoted) appears twice, in two Unicode spellings")
            }
        }
    }

    /// One `"<name>": {"dtype", "shape", "data_offsets"}`.
    private func entry(_ name: String, _ node: JSONNode, dataEnd: Int) throws(Fault) -> SafetensorsEntry {
        guard !name.isEmpty, name.utf8.count <= SafetensorsHeader.maximumNameLength else {
            throw Fault(node, "a name must have 1 to \(SafetensorsHeader.maximumNameLength) bytes; this one has \(name.utf8.count)")
        }
        guard !name.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) else {
            throw Fault(node, "a name must not hold control characters")
        }
        guard let members = node.objectMembers else { throw Fault(node, "expected an object, found \(node.brief)") }
        if let extra = members.first(where: { !["dtype", "shape", "data_offsets"].contains($0.key) }) {
            throw Fault(extra.value, "unknown field \(extra.key.quoted) (expected dtype, shape, data_offsets)")
        }
        guard let typeNode = node["dtype"], let shapeNode = node["shape"], let offsetsNode = node["data_offsets"] else {
            throw Fault(node, "dtype, shape and data_offsets are required")
        }
        guard let typeName = typeNode.stringValue, let type = ElementType(rawValue: typeName) else {
            throw Fault(typeNode, "expected a dtype such as F32, found \(typeNode.brief)")
        }
        let shape = try wholeNumbers(shapeNode, "shape")
        guard shape.count <= SafetensorsHeader.maximumRank else {
            throw Fault(shapeNode, "it has \(shape.count) axes; at most \(SafetensorsHeader.maximumRank) are read")
        }
        var length = type.size
        for extent in shape {
            let (product, overflow) = length.multipliedReportingOverflow(by: extent)
            guard !overflow else { throw Fault(shapeNode, "shape \(SafetensorsEntry.text(shape)) is larger than any file") }
            length = product
        }
        let offsets = try wholeNumbers(offsetsNode, "data_offsets")
        guard offsets.count == 2, offsets[0] <= offsets[1] else {
            throw Fault(offsetsNode, "data_offsets must be [begin, end] with begin <= end")
        }
        guard offsets[1] <= dataEnd - dataStart else {
            throw Fault(offsetsNode, "it ends at byte \(offsets[1]) of the values, but the file has only \(dataEnd - dataStart)")
        }
        guard offsets[1] - offsets[0] == length else {
            throw Fault(
                offsetsNode,
                "shape \(SafetensorsEntry.text(shape)) of \(type.rawValue) takes \(length) bytes, "
                    + "but data_offsets span \(offsets[1] - offsets[0])"
            )
        }
        return SafetensorsEntry(name: name, type: type, shape: shape, bytes: dataStart + offsets[0]..<dataStart + offsets[1])
    }

    private func wholeNumbers(_ node: JSONNode, _ what: String) throws(Fault) -> [Int] {
        guard let elements = node.arrayElements else { throw Fault(node, "\(what): expected an array, found \(node.brief)") }
        var numbers: [Int] = []
        for element in elements {
            guard let number = element.intValue, number >= 0 else {
                throw Fault(element, "\(what): expected whole numbers of at least 0, found \(element.brief)")
            }
            numbers.append(number)
        }
        return numbers
    }

    /// An error in a value of the header.
    private struct Fault: Error {
        let node: JSONNode
        let reason: String

        init(_ node: JSONNode, _ reason: String) {
            self.node = node
            self.reason = reason
        }
    }
}

/// The element types of safetensors, by the format's names.
package enum ElementType: String, Sendable, CaseIterable {
    case bool = "BOOL"
    case uint8 = "U8"
    case int8 = "I8"
    case float8e5m2 = "F8_E5M2"
    case float8e4m3 = "F8_E4M3"
    case uint16 = "U16"
    case int16 = "I16"
    case float16 = "F16"
    case bfloat16 = "BF16"
    case uint32 = "U32"
    case int32 = "I32"
    case float32 = "F32"
    case uint64 = "U64"
    case int64 = "I64"
    case float64 = "F64"

    /// Bytes per element.
    package var size: Int {
        switch self {
        case .bool, .uint8, .int8, .float8e5m2, .float8e4m3: 1
        case .uint16, .int16, .float16, .bfloat16: 2
        case .uint32, .int32, .float32: 4
        case .uint64, .int64, .float64: 8
        }
    }

    /// Whether values of this type are read as single precision.
    package var isReadable: Bool {
        switch self {
        case .float16, .bfloat16, .float32, .float64: true
        default: false
        }
    }

    /// Converts whole little-endian elements to single precision; the type must be readable.
    func convert(_ bytes: UnsafeRawBufferPointer, to values: UnsafeMutablePointer<Float>) {
        let count = bytes.count / size
        switch self {
        case .float32:
            for i in 0..<count { values[i] = Float(bitPattern: bytes.loadUnaligned(fromByteOffset: 4 * i, as: UInt32.self)) }
        case .float64:
            for i in 0..<count {
                values[i] = Float(Double(bitPattern: bytes.loadUnaligned(fromByteOffset: 8 * i, as: UInt64.self)))
            }
        case .float16:
            for i in 0..<count { values[i] = Float(Float16(bitPattern: bytes.loadUnaligned(fromByteOffset: 2 * i, as: UInt16.self))) }
        case .bfloat16:
            for i in 0..<count {
                values[i] = Float(bitPattern: UInt32(bytes.loadUnaligned(fromByteOffset: 2 * i, as: UInt16.self)) << 16)
            }
        default: preconditionFailure("\(rawValue) is not read as single precision")
        }
    }
}

extension String {
    /// The text in double quotes, on one line, at most 80 characters: for names from files in messages.
    package var quoted: String {
        let scalars = unicodeScalars.prefix(81).map { scalar in
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator: scalar.isASCII ? scalar : "\u{FFFD}"
            default: scalar
            }
        }
        let text = String(String.UnicodeScalarView(scalars.prefix(80))) + (scalars.count > 80 ? "..." : "")
        return JSONNode.string(text).text()
    }
}
