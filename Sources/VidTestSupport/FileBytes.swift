/// Builds files of the formats byte by byte without checks, as an attacker could.
package enum FileBytes {
    /// A safetensors file: the header's length, the header as it is given, the values.
    package static func safetensors(_ header: String, values: [UInt8] = []) -> [UInt8] {
        let text = Array(header.utf8)
        return littleEndian(UInt64(text.count)) + text + values
    }

    /// An npy file as NumPy writes it: the dictionary padded with spaces to a multiple of 64.
    package static func npy(
        _ dictionary: String, _ payload: [UInt8] = [], version: UInt8 = 1, magic: [UInt8] = [0x93] + Array("NUMPY".utf8)
    ) -> [UInt8] {
        let fixed = version == 1 ? 10 : 12
        var text = Array(dictionary.utf8)
        while (fixed + text.count + 1) % 64 != 0 { text.append(0x20) }
        text.append(0x0A)
        let length = version == 1 ? littleEndian(UInt16(truncatingIfNeeded: text.count)) : littleEndian(UInt32(text.count))
        return magic + [version, 0] + length + text + payload
    }

    package static func littleEndian(_ value: some FixedWidthInteger) -> [UInt8] {
        withUnsafeBytes(of: value.littleEndian) { Array($0) }
    }
}

extension [UInt8] {
    /// The bytes with those from `offset` on replaced.
    package func putting(_ bytes: [UInt8], at offset: Int) -> [UInt8] {
        var changed = self
        changed.replaceSubrange(offset..<offset + bytes.count, with: bytes)
        return changed
    }
}
