import Testing
import VidData
import VidSystem
import VidTensor
import VidTestSupport

@Suite struct NumpyFileTests {
    static func dictionary(_ descriptor: String, _ shape: String, order: String = "False") -> String {
        "{'descr': '\(descriptor)', 'fortran_order': \(order), 'shape': (\(shape)), }"
    }

    @Test(arguments: [UInt8(1), 2])
    func bytesAndFloats(version: UInt8) throws {
        let folder = try TestFolder()
        let shape = ClipShape(frames: 4, channels: 3, rows: 5, columns: 6)
        let bytes = patternClip(shape)
        let path = try folder.write(
            "a.npy",
            FileBytes.npy(NumpyFileTests.dictionary("|u1", "4, 3, 5, 6"), bytes.withUnsafeBytes { Array($0) }, version: version))
        #expect(try NumpyFile.read(path) == bytes)
        let floats = patternFloatClip(shape)
        let other = try folder.write(
            "b.npy",
            FileBytes.npy(NumpyFileTests.dictionary("<f4", "4, 3, 5, 6"), floats.withUnsafeBytes { Array($0) }, version: version))
        #expect(try NumpyFile.read(other) == floats)
        #expect(try NumpyFile.open(other).read(frames: [1, 3]) == floats.selecting([1, 3]))
    }

    @Test func channelsLast() throws {
        let folder = try TestFolder()
        let clip = patternClip(ClipShape(frames: 2, channels: 3, rows: 4, columns: 5))
        guard case .bytes(let values) = clip.pixels else { return }
        var last: [UInt8] = []
        for frame in 0..<2 {
            for pixel in 0..<20 { for channel in 0..<3 { last.append(values[(frame * 3 + channel) * 20 + pixel]) } }
        }
        let path = try folder.write("a.npy", FileBytes.npy(NumpyFileTests.dictionary("|u1", "2, 4, 5, 3"), last))
        #expect(try NumpyFile.read(path) == clip)
        #expect(try NumpyFile.open(path).read(frames: [1]) == clip.selecting([1]))
    }

    /// The axis that is read as channels.
    @Test(
        arguments: [
            ("2, 3, 4, 3", 3, 4, 3), ("2, 1, 4, 3", 1, 4, 3), ("2, 4, 5, 1", 1, 4, 5), ("2, 4, 5, 3", 3, 4, 5), ("2, 4, 5, 6", 4, 5, 6),
            ("2, 3, 1, 1", 3, 1, 1),
        ])
    func axes(shape: String, channels: Int, rows: Int, columns: Int) throws {
        let folder = try TestFolder()
        let count = 2 * channels * rows * columns
        let path = try folder.write(
            "a.npy", FileBytes.npy(NumpyFileTests.dictionary("|u1", shape), [UInt8](repeating: 1, count: count)))
        #expect(try NumpyFile.open(path).shape == ClipShape(frames: 2, channels: channels, rows: rows, columns: columns))
    }

    @Test(
        arguments: [
            (
                "{'descr': '|O', 'fortran_order': False, 'shape': (2, 3, 4, 4), }",
                "found Python objects ('|O'), which would have to be unpickled"
            ),
            ("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2,), }", "found a structured array"),
            (
                "{'descr': '<f8', 'fortran_order': False, 'shape': (2, 3, 4, 4), }",
                "found float64 ('<f8') with values from 0 to 0; save a.astype('float32')"
            ),
            ("{'descr': '>f4', 'fortran_order': False, 'shape': (2, 3, 4, 4), }", "found big-endian float32 ('>f4')"),
            (
                "{'descr': '<i8', 'fortran_order': False, 'shape': (2, 3, 4, 4), }",
                "found int64 ('<i8') with values from 0 to 0; save a.astype('uint8')"
            ),
            ("{'descr': '|u1', 'fortran_order': True, 'shape': (2, 3, 4, 4), }", "expected C order, found Fortran order"),
            (
                "{'descr': '|u1', 'fortran_order': False, 'shape': (2, 3, 4), }",
                "or the two axes (frames, features) of vectors, found shape (2, 3, 4)"
            ),
            ("{'descr': '|u1', 'fortran_order': False, 'shape': (), }", "found shape ()"),
            ("{'descr': '|u1', 'fortran_order': False, 'shape': (0, 3, 4, 4), }", "expected 1...4294967295 frames, found 0"),
            ("{'descr': '|u1', 'fortran_order': False, 'shape': (2, -3, 4, 4), }", "expected a whole number of 0 or more, found '-'"),
            ("{'descr': '|u1', 'fortran_order': False, 'shape': (2, 3.5, 4, 4), }", "expected ')', found '.'"),
            ("{'descr': '|u1', 'fortran_order': False, 'shape': (99999999999999999999, 3, 4, 4), }", "a number is over 2^63"),
            ("{'descr': '|u1', 'fortran_order': False, 'shape': (4294967295, 64, 16384, 16384), }", "has more bytes than 2^63"),
            (
                "{'descr': '|u1', 'fortran_order': False, 'shape': (1000000, 3, 4, 4), }",
                "cut off: expected 48000000 bytes after the header, found 96"
            ),
            (
                "{'descr': '|u1', 'fortran_order': False, 'shape': (1, 3, 4, 4), }",
                "48 bytes too many: expected 48 after the header, found 96"
            ),
            ("{'descr': '|u1', 'fortran_order': False, }", "must have 'descr', 'fortran_order' and 'shape'"),
            ("{'descr': '|u1', 'descr': '|u1', 'fortran_order': False, 'shape': (2, 3, 4, 4), }", "the key 'descr' appears twice"),
            ("{'descr': '|u1', 'fortran_order': False, 'shape': (2, 3, 4, 4), 'x': 1}", "unknown key 'x'"),
            ("{'descr': '|u1', 'fortran_order': 0, 'shape': (2, 3, 4, 4), }", "expected True or False, found '0'"),
            ("{'descr': '|u1\\'', 'fortran_order': False}", "characters that are not plain ASCII"),
            ("{'descr': '|u1", "a quoted string is not terminated"),
            ("{'descr': '|u1', 'fortran_order': False, 'shape': (2, 3, 4, 4)} x", "expected its end, found 'x'"),
            ("{'descr': '|u1', 'fortran_order': False, 'shape': (2, 03, 4, 4), }", "a number has a leading zero"),
            ("{'descr': '|u1', 'fortran_order': False, 'shape': (2, +3, 4, 4), }", "found '+'"),
            ("{'descr': '|u1', 'fortran_order': False, 'shape': (2, 0x3, 4, 4), }", "expected ')', found 'x'"),
            ("{'descr': '|u1', 'fortran_order': False, 'shape': (2, 1_0, 4, 4), }", "expected ')', found '_'"),
            ("{'descr': '|u1', 'fortran_order': False, 'shape': (2, 1e9, 4, 4), }", "expected ')', found 'e'"),
            ("{'descr': '|u1', 'fortran_order': False, 'shape': (9223372036854775808, 3, 4, 4), }", "a number is over 2^63"),
            (
                "{'descr': '|u1', 'fortran_order': False, 'shape': (9223372036854775807, 3, 4, 4), }",
                "expected 1...4294967295 frames, found 9223372036854775807"
            ),
            ("{'descr': '|u1', 'fortran_order': False, 'shape': (4294967295, 64, 16384, 16384), }", "has more bytes than 2^63"),
            ("{'descr': '<f4', 'fortran_order': False, 'shape': (4294967295, 3, 16384, 16384), }", "has more bytes than 2^63"),
            ("{'descr': '|u1', 'fortran_order': False, 'shape': (2, 3, 16385, 4), }", "expected 1...16384 rows, found 16385"),
            (
                "{'descr': '|u1', 'fortran_order': False, 'shape': (1, 1, 1, 1, 1, 1, 1, 1, 96), }",
                "found shape (1, 1, 1, 1, 1, 1, 1, 1, ... of 9 axes)"
            ),
            ("{'descr': '|\u{0}u1', 'fortran_order': False}", "characters that are not plain ASCII"),
            ("{'descr': '<c8', 'fortran_order': False, 'shape': (2, 3, 4, 4), }", "found '<c8'"),
            ("\u{FEFF}{'descr': '|u1', 'fortran_order': False, 'shape': (2, 3, 4, 4), }", "expected '{'"),
            ("import os", "expected '{', found 'i'"),
            ("{", "expected a quoted string, found its end"),
        ] as [(String, String)])
    func refused(dictionary: String, message: String) throws {
        let folder = try TestFolder()
        let path = try folder.write("a.npy", FileBytes.npy(dictionary, [UInt8](repeating: 0, count: 96)))
        let error = failure { try NumpyFile.open(path) }
        #expect(error.kind == .badData)
        #expect(error.message.hasPrefix(path + ": ") && error.message.contains(message), "\(error.message)")
    }

    /// The advice for other types depends on the values: casting larger ones to uint8 would keep their last bits only.
    @Test(
        arguments: [
            ("<u2", [0, 1, 4095], "uint16 ('<u2') with values from 0 to 4095; scale all clips alike: save (a * (255 / 4095))"),
            ("<u2", [0, 65535], "to 65535; scale all clips alike: save (a * (255 / 65535)).astype('float32')"),
            (">u2", [0, 900], "uint16 ('>u2') with values from 0 to 900; scale all clips alike: save (a * (255 / 1023))"),
            ("<i4", [7, 255], "int32 ('<i4') with values from 7 to 255; save a.astype('uint8')"),
            ("<i4", [0, 100_000], "to 100000; scale all clips alike: save (a * (255 / 100000))"),
            ("<i2", [-300, 300], "from -300 to 300; scale them to 0 to 255, all clips alike, and save a.astype('float32')"),
            ("|i1", [-128, 127], "from -128 to 127; save (a + 128.0).astype('float32')"),
            ("<f8", [0, 0.5, 1], "float64 ('<f8') with values from 0 to 1; save (a * 255).astype('float32')"),
            ("<f8", [-1, 0.25], "from -1 to 0.25; save ((a + 1) * 127.5).astype('float32')"),
            ("<f8", [0, 254.5], "from 0 to 254.5; save a.astype('float32')"),
            ("<f8", [0, 1000], "from 0 to 1000; scale all clips alike: save (a * (255 / 1000))"),
            ("|b1", [0, 1], "booleans ('|b1'); save (a * 255).astype('uint8')"),
        ] as [(String, [Double], String)])
    func otherTypes(descriptor: String, values: [Double], advice: String) throws {
        func bytes(_ value: Double) -> [UInt8] {
            let size = Int(String(descriptor.suffix(1))) ?? 1
            let bits = descriptor.contains("f") ? value.bitPattern : UInt64(bitPattern: Int64(value))
            let bytes = (0..<size).map { UInt8(truncatingIfNeeded: bits >> UInt64(8 * $0)) }
            return descriptor.hasPrefix(">") ? bytes.reversed() : bytes
        }
        let folder = try TestFolder()
        let payload = (0..<96).flatMap { bytes(values[$0 % values.count]) }
        let path = try folder.write("a.npy", FileBytes.npy(NumpyFileTests.dictionary(descriptor, "2, 3, 4, 4"), payload))
        let error = failure { try NumpyFile.open(path) }
        #expect(error.kind == .badData && error.message.contains(advice), "\(error.message)")
    }

    @Test func halfFloats() throws {
        let folder = try TestFolder()
        // 2^-24, 0.5, 1, and infinity, which is passed over.
        let payload = Array(repeating: [1, 0, 0, 0x38, 0, 0x3C, 0, 0x7C] as [UInt8], count: 24).flatMap(\.self)
        let path = try folder.write("a.npy", FileBytes.npy(NumpyFileTests.dictionary("<f2", "2, 3, 4, 4"), payload))
        #expect(failure { try NumpyFile.open(path) }.message.hasSuffix("to 1; save (a * 255).astype('float32')"))
    }

    @Test func theFixedPart() throws {
        let folder = try TestFolder()
        let good = FileBytes.npy(NumpyFileTests.dictionary("|u1", "2, 3, 4, 4"), [UInt8](repeating: 0, count: 96))
        #expect(throws: Never.self) { try NumpyFile.open(try folder.write("good.npy", good)) }
        for version: UInt8 in [1, 2] {
            let whole = FileBytes.npy(
                NumpyFileTests.dictionary("|u1", "2, 3, 4, 4"), [UInt8](repeating: 0, count: 96), version: version)
            for length in 0..<whole.count {
                let path = try folder.write("cut.npy", Array(whole[..<length]))
                #expect(failure { try NumpyFile.open(path) }.kind == .badData, "version \(version), \(length) bytes")
            }
            let path = try folder.write("long.npy", whole + [0])
            #expect(failure { try NumpyFile.open(path) }.message.contains("1 bytes too many"))
        }
        var bytes = good
        bytes[0] = 0x92
        #expect(failure { try NumpyFile.open(try folder.write("m.npy", bytes)) }.message.contains("magic bytes 93 4E 55 4D 50 59"))
        bytes = good
        bytes[6] = 3
        #expect(failure { try NumpyFile.open(try folder.write("v.npy", bytes)) }.message.contains("expected 1.0 or 2.0, found 3.0"))
        bytes = good
        bytes[8...9] = [0xFF, 0xFF]
        #expect(failure { try NumpyFile.open(try folder.write("l.npy", bytes)) }.message.contains("expected a header of 65535 bytes"))
        // Past the file's end and above our limit; in version 2 the length has 32 bits.
        for length in [65_537, 1 << 31, UInt32.max] {
            bytes = [0x93] + Array("NUMPY".utf8) + [2, 0] + FileBytes.littleEndian(length) + [0, 0]
            #expect(
                failure { try NumpyFile.open(try folder.write("h.npy", bytes)) }.message.contains(
                    "expected an npy header of at most 65536 bytes, found a length of \(length)"))
        }
    }

    /// The error message for a long header is short.
    @Test(arguments: [
        "{'descr': '|u1', 'fortran_order': False, 'shape': (" + String(repeating: "1, ", count: 20_000) + "), }",
        "{'descr': '" + String(repeating: "x", count: 60_000) + "', 'fortran_order': False, 'shape': (1, 1, 1, 1)}",
        "{'" + String(repeating: "k", count: 60_000) + "': 1}",
    ])
    func complaintsStayShort(_ dictionary: String) throws {
        let folder = try TestFolder()
        let path = try folder.write("a.npy", FileBytes.npy(dictionary))
        let error = failure { try NumpyFile.open(path) }
        #expect(error.kind == .badData)
        #expect(error.message.utf8.count < path.utf8.count + 300, "\(error.message.utf8.count)")
    }

    /// The format has no checksum, but a change of any bit of the header is detected. Among the values only NaN and infinity are.
    @Test(arguments: [UInt8(1), 2]) func everyFlippedBitOfTheHeaderIsFound(version: UInt8) throws {
        let folder = try TestFolder()
        let payload = (0..<96).flatMap { FileBytes.littleEndian(Float($0).bitPattern) }
        let good = FileBytes.npy(NumpyFileTests.dictionary("<f4", "2, 3, 4, 4"), payload, version: version)
        let header = good.count - payload.count
        for place in 0..<header {
            for bit in 0..<8 {
                let path = try folder.write("flipped.npy", good.putting([good[place] ^ 1 << UInt8(bit)], at: place))
                #expect(failure { try NumpyFile.read(path) }.kind == .badData, "byte \(place), bit \(bit)")
            }
        }
        for place in stride(from: header, to: good.count, by: 4) {
            let path = try folder.write("infinite.npy", good.putting([0, 0, 0x80, 0xFF], at: place))
            #expect(failure { try NumpyFile.read(path) }.message.contains("found -inf in frame"))
        }
    }

    @Test func valuesThatAreNotFinite() throws {
        let folder = try TestFolder()
        var values = [Float](repeating: 1, count: 96)
        values[95] = .nan
        let path = try folder.write(
            "a.npy", FileBytes.npy(NumpyFileTests.dictionary("<f4", "2, 3, 4, 4"), values.withUnsafeBytes { Array($0) }))
        #expect(failure { try NumpyFile.read(path) }.message.hasSuffix("expected finite values, found nan in frame 1 (value 95)"))
    }
}
