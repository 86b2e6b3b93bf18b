import Testing
import VidCheckpoint
import VidSystem
import VidTensor
import VidTestSupport

@Suite struct SafetensorsFileTests {
    private let folder: TestFolder

    init() throws { folder = try TestFolder() }

    private func open(_ bytes: [UInt8]) throws -> SafetensorsFile { try SafetensorsFile(folder.write("file.safetensors", bytes)) }

    private let good =
        #"{"__metadata__":{"a":"b"},"x":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}"#
        + #","y":{"dtype":"U8","shape":[3],"data_offsets":[8,11]}}"#

    @Test func readsWhatIsThere() throws {
        let values: [UInt8] = [0, 0, 0x80, 0x3F, 0, 0, 0, 0xC0, 7, 8, 9]
        let file = try open(safetensors(good + "   ", values: values))
        #expect(file.metadata == ["a": "b"])
        #expect(file.entries.map(\.name) == ["x", "y"])
        #expect(file.entries.map(\.shape) == [[2], [3]])
        let buffer = Buffer(count: 3)
        defer { withExtendedLifetime(buffer) {} }
        buffer.tensor([2]).fill(.nan)
        try file.read(#require(file.entry(named: "x")), into: buffer.tensor([2]))
        #expect(buffer.tensor([2]).array == [1, -2])
        let whole = failure { try file.read(#require(file.entry(named: "y")), into: buffer.tensor([3])) }
        #expect(whole?.message.hasSuffix(#"tensor "y": expected floating-point values, found U8"#) == true)
    }

    /// The order of the header is free, that of the bytes counts; a scalar has no axes; an extent may be zero.
    @Test func takesTensorsInAnyOrder() throws {
        let header =
            #"{"b":{"dtype":"F32","shape":[],"data_offsets":[4,8]},"z":{"shape":[0,5],"dtype":"F64","data_offsets":[8,8]}"#
            + #","a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#
        let file = try open(safetensors(header, values: [UInt8](repeating: 0, count: 8)))
        #expect(file.entries.map(\.name) == ["a", "b", "z"])
        #expect(file.entries.map(\.count) == [1, 1, 0])
    }

    /// 1.5, -2 and 0.099976 (or near) in each type; the last has the nearest value of that type.
    @Test(arguments: [
        ("F16", [0x00, 0x3E, 0x00, 0xC0, 0x66, 0x2E] as [UInt8], 0.099975586 as Float),
        ("BF16", [0xC0, 0x3F, 0x00, 0xC0, 0xCD, 0x3D], 0.100097656),
        ("F64", [0, 0, 0, 0, 0, 0, 0xF8, 0x3F, 0, 0, 0, 0, 0, 0, 0, 0xC0, 0x9A, 0x99, 0x99, 0x99, 0x99, 0x99, 0xB9, 0x3F], 0.1),
    ])
    func converts(_ type: String, _ values: [UInt8], _ last: Float) throws {
        let header = #"{"x":{"dtype":"\#(type)","shape":[3],"data_offsets":[0,\#(values.count)]}}"#
        let file = try open(safetensors(header, values: values))
        let buffer = Buffer(count: 3)
        defer { withExtendedLifetime(buffer) {} }
        buffer.tensor([3]).fill(.nan)
        try file.read(file.entries[0], into: buffer.tensor([3]))
        #expect(buffer.tensor([3]).array == [1.5, -2, last])
    }

    /// What a malformed header gets, and a part of what is said of it.
    static let malformed: [(String, String)] = [
        // Not JSON, or not an object of objects.
        ("", "starts with '{'"), ("[]", "starts with '{'"), (" {}", "starts with '{'"), ("{", "header"), ("{} x", "header"),
        (#"{"x":1}"#, "expected an object"), (#"{"x":{"dtype":"F32"}}"#, "are required"),
        (#"{"x":{"dtype":"F32","shape":[],"data_offsets":[0,4]},}"#, "header"),
        (#"{"__metadata__":[]}"#, "expected an object of strings"), (#"{"__metadata__":{"a":1}}"#, "expected a string"),
        (#"{"\uD800":{}}"#, "surrogate"), (#"{"x":{"dtype":"U8","shape":[04],"data_offsets":[0,4]}}"#, "leading zero"),
        (#"{"x":{"dtype":"U8","shape":[0x4],"data_offsets":[0,4]}}"#, "header"),
        (#"{"x":{"dtype":"U8","shape":[+4],"data_offsets":[0,4]}}"#, "header"),
        (#"{"x":{"dtype":"U8","shape":[-0],"data_offsets":[0,4]}}"#, "whole numbers"),
        (#"{"x":{"dtype":"U8","shape":[1e400],"data_offsets":[0,4]}}"#, "does not fit double precision"),
        (#"{"x":{"dtype":"U8","shape":[4],"data_offsets":[0,18446744073709551615]}}"#, "does not fit 64 bits"),
        ("\u{FEFF}{}", "starts with '{'"),
        ("{\"x\u{0}\":{}}", "control character"), (String(repeating: #"{"x":"#, count: 40), "nested deeper"),
        // Twice.
        (#"{"x":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"x":{"dtype":"U8","shape":[2],"data_offsets":[2,4]}}"#, "appears twice"),
        (#"{"x":{"dtype":"U8","dtype":"U8","shape":[4],"data_offsets":[0,4]}}"#, "appears twice"),
        (#"{"__metadata__":{"a":"1","a":"2"},"x":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}}"#, "appears twice"),
        (
            #"{"\u00e9":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"e\u0301":{"dtype":"U8","shape":[2],"data_offsets":[2,4]}}"#,
            "two tensors"
        ),
        // Overlap, hole, remainder, the wrong way round, past the end.
        (#"{"x":{"dtype":"U8","shape":[3],"data_offsets":[0,3]},"y":{"dtype":"U8","shape":[2],"data_offsets":[2,4]}}"#, "overlaps"),
        (#"{"x":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"y":{"dtype":"U8","shape":[2],"data_offsets":[2,4]}}"#, "leaves a hole"),
        (#"{"x":{"dtype":"U8","shape":[2],"data_offsets":[2,4]}}"#, "leaves a hole"),
        (#"{"x":{"dtype":"U8","shape":[3],"data_offsets":[0,3]}}"#, "1 bytes after its last tensor"), ("{}", "4 bytes after"),
        (#"{"x":{"dtype":"U8","shape":[4],"data_offsets":[4,0]}}"#, "begin <= end"),
        (#"{"x":{"dtype":"U8","shape":[5],"data_offsets":[0,5]}}"#, "has only 4"),
        (#"{"x":{"dtype":"U8","shape":[4],"data_offsets":[0]}}"#, "[begin, end]"),
        (#"{"x":{"dtype":"U8","shape":[4],"data_offsets":[0,4,8]}}"#, "[begin, end]"),
        (#"{"x":{"dtype":"U8","shape":[4],"data_offsets":"0,4"}}"#, "expected an array"),
        // Shapes.
        (#"{"x":{"dtype":"U8","shape":[-4],"data_offsets":[0,4]}}"#, "whole numbers"),
        (#"{"x":{"dtype":"U8","shape":[4.0],"data_offsets":[0,4]}}"#, "whole numbers"),
        (#"{"x":{"dtype":"U8","shape":[4e0],"data_offsets":[0,4]}}"#, "whole numbers"),
        (#"{"x":{"dtype":"U8","shape":["4"],"data_offsets":[0,4]}}"#, "whole numbers"),
        (#"{"x":{"dtype":"U8","shape":4,"data_offsets":[0,4]}}"#, "expected an array"),
        (#"{"x":{"dtype":"U8","shape":[4,1,1,1,1,1,1,1,1],"data_offsets":[0,4]}}"#, "9 axes"),
        (#"{"x":{"dtype":"U8","shape":[3],"data_offsets":[0,4]}}"#, "takes 3 bytes"),
        (#"{"x":{"dtype":"F32","shape":[4],"data_offsets":[0,4]}}"#, "takes 16 bytes"),
        (#"{"x":{"dtype":"F32","shape":[1000000000000],"data_offsets":[0,4]}}"#, "takes 4000000000000 bytes"),
        (#"{"x":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,4]}}"#, "larger than any file"),
        (#"{"x":{"dtype":"U8","shape":[4294967296,4294967296],"data_offsets":[0,0]}}"#, "larger than any file"),
        (#"{"x":{"dtype":"U8","shape":[9223372036854775808],"data_offsets":[0,4]}}"#, "header"),
        (#"{"x":{"dtype":"U8","shape":[4],"data_offsets":[9223372036854775803,9223372036854775807]}}"#, "has only 4"),
        // Types, fields, names.
        (#"{"x":{"dtype":"F128","shape":[],"data_offsets":[0,4]}}"#, #"expected a dtype such as F32, found the string "F128""#),
        (#"{"x":{"dtype":4,"shape":[],"data_offsets":[0,4]}}"#, "expected a dtype such as F32, found 4"),
        (#"{"x":{"dtype":"U8","shape":[4],"data_offsets":[0,4],"order":"F"}}"#, #"unknown field "order""#),
        (#"{"":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}}"#, "a name must have"),
        (#"{"a\u0000b":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}}"#, "control characters"),
        (#"{"a\nb":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}}"#, "control characters"),
    ]

    @Test(arguments: malformed) func refuses(_ header: String, _ reason: String) throws {
        let error = failure { _ = try open(safetensors(header, values: [1, 2, 3, 4])) }
        #expect(error?.kind == .badData)
        #expect(error?.message.contains(reason) == true, "\(error?.message ?? "accepted")")
        #expect(error?.message.contains("\n") == false)
    }

    /// The format has no checksum. A changed bit of the header is refused, or changes a name, a text or a type of the same size:
    /// the tensors still cover the values, each byte once.
    @Test func aFlippedBitOfTheHeaderIsRefusedOrKeepsThePlaces() throws {
        let whole = safetensors(good, values: [UInt8](repeating: 0, count: 11))
        let start = whole.count - 11
        var accepted = 0
        for (byte, bit) in (0..<start).flatMap({ byte in (0..<8).map { (byte, $0) } }) {
            do {
                let file = try open(whole.putting([whole[byte] ^ 1 << UInt8(bit)], at: byte))
                accepted += 1
                #expect(file.entries.map(\.bytes) == [start..<start + 8, start + 8..<start + 11], "byte \(byte), bit \(bit)")
                #expect(file.entries.map(\.count) == [2, 3])
            } catch {
                #expect((error as? VidclassError)?.kind == .badData)
            }
        }
        #expect(accepted < 8 * start / 10, "\(accepted)")
    }

    @Test func refusesNamesThatAreNotUTF8() throws {
        var bytes = safetensors(#"{"x":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}}"#, values: [1, 2, 3, 4])
        bytes[10] = 0xFF
        #expect(failure { _ = try open(bytes) }?.message.contains("UTF-8") == true)
    }

    /// A length past the end, past our cap, past what an integer holds: refused before anything of that size is read.
    @Test(arguments: [200, 17 << 20, 1 << 40, UInt64(Int64.max), 1 << 63, .max]) func refusesHeaderLength(_ length: UInt64) throws {
        var bytes = safetensors(good, values: [UInt8](repeating: 0, count: 11))
        for i in 0..<8 { bytes[i] = UInt8(truncatingIfNeeded: length >> (8 * UInt64(i))) }
        #expect(failure { _ = try open(bytes) }?.kind == .badData)
    }

    @Test func refusesAHeaderOverTheCap() throws {
        let header = good + String(repeating: " ", count: 16 << 20)
        #expect(
            failure { _ = try open(safetensors(header, values: [UInt8](repeating: 0, count: 11))) }?.message.contains("at most 16777216")
                == true)
    }

    /// Cut anywhere, or with a byte more.
    @Test func refusesAnyOtherLength() throws {
        let bytes = safetensors(good, values: [UInt8](repeating: 0, count: 11))
        for count in 0..<bytes.count {
            #expect(failure { _ = try open(Array(bytes[..<count])) }?.kind == .badData, "cut to \(count) bytes")
        }
        #expect(failure { _ = try open(bytes + [0]) }?.kind == .badData)
    }
}
