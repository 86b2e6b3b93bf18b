import VidSystem
import VidTensor

/// The clip file (`.bin`): a header of 64 bytes, then the frames in C order (frames, channels, rows, columns).
package enum ClipFile {
    /// Opens `path` and checks its header, field by field, against the file's size. No payload is read.
    package static func open(_ path: String) throws -> ArrayFile {
        let file = try RegularFile(path)
        let header = try header(of: file)
        return ArrayFile(
            file: file, payloadOffset: ClipHeader.size, element: header.element, shape: header.shape,
            framesPerSecond: header.framesPerSecond, payloadCRC: header.payloadCRC)
    }

    /// The header of the clip file at `path`, checked.
    package static func header(_ path: String) throws -> ClipHeader { try header(of: RegularFile(path)) }

    /// All frames of the clip file at `path`; both checksums are held against their bytes.
    package static func read(_ path: String) throws -> Clip { try open(path).read() }

    /// Writes `clip` to `path`: whole or, after an error or a kill, not at all.
    package static func write(_ clip: Clip, to path: String) throws {
        let writer = try ClipFileWriter(
            path, element: clip.element, channels: clip.shape.channels, rows: clip.shape.rows, columns: clip.shape.columns,
            framesPerSecond: clip.framesPerSecond)
        try clip.withUnsafeBytes { try writer.append($0) }
        try writer.commit()
    }

    private static func header(of file: RegularFile) throws -> ClipHeader {
        let bytes = try file.bytes(at: 0, count: min(file.size, ClipHeader.size))
        return try ClipHeader(bytes, path: file.path, fileSize: file.size)
    }
}

/// Writes a clip file frame by frame: memory does not grow with the number of frames.
package final class ClipFileWriter {
    private let file: AtomicFile
    private var header: ClipHeader
    private var crc = CRC32()

    package init(_ path: String, element: ClipElement, channels: Int, rows: Int, columns: Int, framesPerSecond: Float) throws {
        header = ClipHeader(
            element: element, shape: ClipShape(frames: 1, channels: channels, rows: rows, columns: columns),
            framesPerSecond: framesPerSecond, payloadCRC: 0)
        if let complaint = header.shape.complaint { throw VidclassError.file(path, "cannot write such a clip: \(complaint)") }
        guard framesPerSecond.isFinite, framesPerSecond >= 0 else {
            throw VidclassError.file(path, "cannot write such a clip: \(framesPerSecond) frames per second")
        }
        file = try AtomicFile(path)
        // The header's place; its frames and checksum are known at the end.
        try file.write(header.bytes)
    }

    /// Adds whole frames, (channels, rows, columns) each. Floats must be finite.
    package func append(_ frames: UnsafeRawBufferPointer) throws {
        let frameBytes = header.shape.frameCount * header.element.size
        precondition(frames.count % frameBytes == 0, "\(frames.count) bytes are no whole frames of \(frameBytes)")
        if header.element == .float32 {
            for offset in stride(from: 0, to: frames.count, by: 4) {
                let value = frames.loadUnaligned(fromByteOffset: offset, as: Float.self)
                guard value.isFinite else { throw VidclassError.file(file.path, "cannot write \(value): a clip's values are finite") }
            }
        }
        crc.update(frames)
        try file.write(frames)
    }

    /// Frames written so far.
    package var frames: Int { (file.size - ClipHeader.size) / (header.shape.frameCount * header.element.size) }

    /// Completes the header and makes the file appear. `framesPerSecond` replaces the rate given at the start.
    package func commit(framesPerSecond: Float? = nil) throws {
        header.shape.frames = frames
        header.payloadCRC = crc.value
        if let framesPerSecond { header.framesPerSecond = framesPerSecond }
        if let complaint = header.shape.complaint { throw VidclassError.file(file.path, "cannot write such a clip: \(complaint)") }
        try file.overwrite(header.bytes, at: 0)
        try file.commit()
    }
}
