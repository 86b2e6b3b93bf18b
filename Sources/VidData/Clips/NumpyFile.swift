import VidSystem
import VidTensor

/// NumPy's `.npy` files as clips: versions 1 and 2, C order, with four axes (uint8 or little-endian float32) for frames of pixels, or
/// with two (little-endian float32 or float64) for vectors over time.
///
/// Two axes are (frames, features), four are (frames, channels, rows, columns). An array whose last axis is 1 or 3 and whose second axis is neither is
/// read as (frames, rows, columns, channels).
package enum NumpyFile {
    private static let magic: [UInt8] = [0x93, 0x4E, 0x55, 0x4D, 0x50, 0x59]
    /// A typical header has 128 bytes; NumPy's own limit is 10,000 characters.
    private static let longestHeader = 65_536

    /// Opens `path` and checks its header against the file's size. No payload is read.
    package static func open(_ path: String) throws -> ArrayFile {
        let file = try RegularFile(path)
        let (header, payloadOffset) = try header(of: file)
        if header.shape.count == 2 { return try vectors(header, file, payloadOffset) }
        let element: ClipElement
        switch header.descriptor {
        case "|u1": element = .uint8
        case "<f4": element = .float32
        case "<f8" where header.shape.count != 4: throw axesFault(header.shape, path)
        default:
            let found = NumpyAdvice.text(header.descriptor, file, payload: payloadOffset)
            throw VidclassError.file(path, "expected uint8 ('|u1') or float32 ('<f4') values, found \(found)")
        }
        guard header.shape.count == 4 else {
            throw axesFault(header.shape, path)
        }
        guard !header.isFortranOrder else { throw fortranFault(path) }
        let axes = header.shape
        let isChannelsLast = (axes[3] == 1 || axes[3] == 3) && axes[1] != 1 && axes[1] != 3
        let shape =
            isChannelsLast
            ? ClipShape(frames: axes[0], channels: axes[3], rows: axes[1], columns: axes[2])
            : ClipShape(frames: axes[0], channels: axes[1], rows: axes[2], columns: axes[3])
        if let complaint = shape.complaint {
            throw VidclassError.file(path, "\(complaint) in shape (\(list(axes)))")
        }
        return try ArrayFile(
            file: file, payloadOffset: payloadOffset, element: element, shape: shape, isChannelsLast: isChannelsLast)
    }

    /// Vectors over time, as frames of 1 row with a column for each feature.
    private static func vectors(_ header: NumpyHeader, _ file: RegularFile, _ payloadOffset: Int) throws -> ArrayFile {
        let path = file.path
        guard header.descriptor == "<f4" || header.descriptor == "<f8" else {
            throw VidclassError.file(
                path,
                "expected float32 ('<f4') or float64 ('<f8') values in an array of the two axes (frames, features), found "
                    + NumpyAdvice.vectors(header.descriptor))
        }
        guard !header.isFortranOrder else { throw fortranFault(path) }
        let shape = ClipShape(frames: header.shape[0], channels: 1, rows: 1, columns: header.shape[1])
        guard shape.columns >= 1, shape.columns <= ClipShape.maximumSide, shape.complaint == nil else {
            let complaint = 1...ClipShape.maximumSide ~= shape.columns ? shape.complaint : nil
            throw VidclassError.file(
                path,
                "\(complaint ?? "expected 1...\(ClipShape.maximumSide) features, found \(shape.columns)") in shape (\(list(header.shape)))"
            )
        }
        return try ArrayFile(
            file: file, payloadOffset: payloadOffset, element: .float32, shape: shape, isVectors: true,
            isDouble: header.descriptor == "<f8")
    }

    private static func fortranFault(_ path: String) -> VidclassError {
        .file(path, "expected C order, found Fortran order; save numpy.ascontiguousarray(a)")
    }

    private static func axesFault(_ axes: [Int], _ path: String) -> VidclassError {
        .file(
            path,
            "expected the four axes (frames, channels, rows, columns), or the two axes (frames, features) of vectors, found shape "
                + "(\(list(axes)))" + (axes.count == 1 ? "; save a[:, None] for one feature a frame, a[None] for a single frame" : ""))
    }

    /// Reads all frames of `path` as (frames, channels, rows, columns).
    package static func read(_ path: String) throws -> Clip { try open(path).read() }

    /// Writes `values` (frames, features) to `path` atomically, as a file of version 1 whose values begin at a multiple of 64 bytes.
    package static func write(_ values: [Float], features: Int, to path: String) throws {
        var header = Array("{'descr': '<f4', 'fortran_order': False, 'shape': (\(values.count / features), \(features)), }".utf8)
        header += [UInt8](repeating: UInt8(ascii: " "), count: (64 - (10 + header.count + 1) % 64) % 64) + [UInt8(ascii: "\n")]
        let file = try AtomicFile(path)
        try file.write(magic + [1, 0, UInt8(header.count & 0xFF), UInt8(header.count >> 8)] + header)
        try values.withUnsafeBytes { try file.write($0) }
        try file.commit()
    }

    private static func header(of file: RegularFile) throws -> (NumpyHeader, payloadOffset: Int) {
        let path = file.path
        guard file.size >= 10 else {
            throw VidclassError.file(path, "not an npy file: expected at least 10 bytes, found \(file.size)")
        }
        let start = try file.bytes(at: 0, count: 10)
        guard Array(start[0..<6]) == magic else {
            throw VidclassError.file(path, "not an npy file: it does not start with the magic bytes 93 4E 55 4D 50 59")
        }
        guard start[6] == 1 || start[6] == 2, start[7] == 0 else {
            throw VidclassError.file(path, "npy version: expected 1.0 or 2.0, found \(start[6]).\(start[7])")
        }
        var length = Int(LittleEndian.value(start, 8, as: UInt16.self))
        var offset = 10
        if start[6] == 2 {
            guard file.size >= 12 else { throw VidclassError.file(path, "cut off within its npy header") }
            length = Int(LittleEndian.value(try file.bytes(at: 8, count: 4), 0, as: UInt32.self))
            offset = 12
        }
        // guard: npy-header-length
        guard length <= longestHeader else {
            throw VidclassError.file(path, "expected an npy header of at most \(longestHeader) bytes, found a length of \(length)")
        }
        guard offset + length <= file.size else {
            throw VidclassError.file(path, "cut off: expected a header of \(length) bytes, found \(file.size - offset)")
        }
        let dictionary = try file.bytes(at: offset, count: length)
        return (try NumpyHeader(dictionary: dictionary, path: path), offset + length)
    }

    /// The first eight axes as text.
    private static func list(_ axes: [Int]) -> String {
        axes.prefix(8).map(String.init).joined(separator: ", ") + (axes.count > 8 ? ", ... of \(axes.count) axes" : "")
    }
}
