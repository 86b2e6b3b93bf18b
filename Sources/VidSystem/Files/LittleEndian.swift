/// Conversion between integers and little-endian bytes.
package enum LittleEndian {
    package static func bytes<Value: FixedWidthInteger>(_ value: Value) -> [UInt8] {
        withUnsafeBytes(of: value.littleEndian) { Array($0) }
    }

    /// The value that starts at the byte `offset`.
    package static func value<Value: FixedWidthInteger>(_ bytes: [UInt8], _ offset: Int, as type: Value.Type = Value.self) -> Value {
        precondition(offset >= 0 && offset + MemoryLayout<Value>.size <= bytes.count, "offset \(offset) of \(bytes.count) bytes")
        return bytes.withUnsafeBytes { Value(littleEndian: $0.loadUnaligned(fromByteOffset: offset, as: Value.self)) }
    }
}
