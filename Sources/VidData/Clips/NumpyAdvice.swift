import VidSystem

/// Describes an array of a type that is not read, and how to save it as one that is. Its values decide, because `astype('uint8')`
/// keeps only the last eight bits of larger ones.
enum NumpyAdvice {
    /// `uint16 ('<u2') with values from 0 to 4095; scale all clips alike: save (a * (255 / 4095)).astype('float32')`.
    ///
    /// - Parameter payload: where the values of `file` begin.
    static func text(_ descriptor: String, _ file: RegularFile, payload: Int) -> String {
        let shown = "'\(descriptor.brief)'"
        switch descriptor.dropFirst() {
        case "O": return "Python objects (\(shown)), which would have to be unpickled; save an array of numbers"
        case "f4": return "big-endian float32 (\(shown)); save a.astype('<f4')"
        case "b1": return "booleans (\(shown)); save (a * 255).astype('uint8')"
        default: break
        }
        guard let type = ElementType(descriptor) else { return shown }
        let found = "\(type.name) (\(shown))"
        guard let range = try? range(type, file, payload: payload) else {
            return "\(found); scale its values to 0 to 255 and save a.astype('float32')"
        }
        let values = "\(found) with values from \(text(range.lowerBound)) to \(text(range.upperBound))"
        let (lowest, highest) = (range.lowerBound, range.upperBound)
        if lowest >= 0 {
            if type.isFloat, highest > 0, highest <= 1 { return "\(values); save (a * 255).astype('float32')" }
            if highest <= 255 { return "\(values); save a.astype('\(type.isFloat ? "float32" : "uint8")')" }
            let top = type.isFloat ? nil : [1023, 4095, 16383, 65535].first { highest <= $0 }
            return "\(values); scale all clips alike: save (a * (255 / \(text(top ?? highest)))).astype('float32')"
        }
        if type.isFloat, lowest >= -1, highest <= 1 { return "\(values); save ((a + 1) * 127.5).astype('float32')" }
        if type.size == 1 { return "\(values); save (a + 128.0).astype('float32')" }
        return "\(values); scale them to 0 to 255, all clips alike, and save a.astype('float32')"
    }

    /// The same for an array of vectors, whose values may have any scale.
    static func vectors(_ descriptor: String) -> String {
        let shown = "'\(descriptor.brief)'"
        if descriptor.dropFirst() == "O" { return "Python objects (\(shown)), which would have to be unpickled; save an array of numbers" }
        guard descriptor.dropFirst() == "b1" || ElementType(descriptor) != nil else { return "\(shown); save an array of numbers" }
        return "\(ElementType(descriptor).map { "\($0.name) (\(shown))" } ?? shown); save a.astype('<f4')"
    }

    private static func text(_ value: Double) -> String {
        let rounded = abs(value) < 1e6 ? (value * 1000).rounded() / 1000 : value
        return rounded == rounded.rounded() && abs(rounded) < 1e15 ? "\(Int(rounded))" : "\(Float(rounded))"
    }

    /// NumPy's numbers of one part.
    private struct ElementType {
        let isFloat: Bool
        let isSigned: Bool
        let size: Int
        let isBigEndian: Bool

        init?(_ descriptor: String) {
            let bytes = Array(descriptor.utf8)
            guard bytes.count == 3, let size = Int(String(decoding: [bytes[2]], as: UTF8.self)) else { return nil }
            isFloat = bytes[1] == UInt8(ascii: "f")
            isSigned = bytes[1] == UInt8(ascii: "i")
            guard isFloat ? [2, 4, 8].contains(size) : (isSigned || bytes[1] == UInt8(ascii: "u")) && [1, 2, 4, 8].contains(size)
            else { return nil }
            self.size = size
            isBigEndian = bytes[0] == UInt8(ascii: ">")
        }

        var name: String { (isFloat ? "float" : isSigned ? "int" : "uint") + "\(8 * size)" }

        /// The number in `size` bytes.
        func value(_ bytes: UnsafeRawBufferPointer.SubSequence) -> Double {
            var bits: UInt64 = 0
            for byte in isBigEndian ? Array(bytes) : bytes.reversed() { bits = bits << 8 | UInt64(byte) }
            guard isFloat else {
                let unused = 64 - 8 * size
                return isSigned ? Double(Int64(bitPattern: bits << unused) >> unused) : Double(bits)
            }
            switch size {
            case 2: return half(bits)
            case 4: return Double(Float(bitPattern: UInt32(truncatingIfNeeded: bits)))
            default: return Double(bitPattern: bits)
            }
        }

        /// IEEE 754's binary16.
        private func half(_ bits: UInt64) -> Double {
            let (exponent, fraction) = (Int(bits >> 10 & 31), Double(bits & 1023) / 1024)
            let magnitude =
                exponent == 31
                ? .infinity
                : Double(sign: .plus, exponent: max(exponent, 1) - 15, significand: (exponent == 0 ? 0 : 1) + fraction)
            return bits >> 15 & 1 == 1 ? -magnitude : magnitude
        }
    }

    /// The most pieces of a file that are looked at, spread over it.
    private static let pieces = 64
    private static let pieceBytes = 256 << 10

    /// The lowest and highest of the finite values in the payload, or in pieces of a long one; nil if there are none.
    private static func range(_ type: ElementType, _ file: RegularFile, payload: Int) throws -> ClosedRange<Double>? {
        let count = (file.size - payload) / type.size
        let perPiece = pieceBytes / type.size
        let pieces = min(NumpyAdvice.pieces, (count + perPiece - 1) / perPiece)
        var range: ClosedRange<Double>?
        for piece in 0..<pieces {
            let start = pieces == 1 ? 0 : piece * max(0, count - perPiece) / (pieces - 1)
            let bytes = try file.bytes(at: payload + start * type.size, count: min(perPiece, count - start) * type.size)
            bytes.withUnsafeBytes { bytes in
                for offset in stride(from: 0, to: bytes.count, by: type.size) {
                    let value = type.value(bytes[offset..<offset + type.size])
                    guard value.isFinite else { continue }
                    range = min(range?.lowerBound ?? value, value)...max(range?.upperBound ?? value, value)
                }
            }
        }
        return range
    }
}
