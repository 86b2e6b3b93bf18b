import VidSystem
import VidTensor

/// The clip file (`.bin`): a header of 64 bytes, then the frames in C order (frames, channels, rows, columns).
package enum ClipFile {
    /// Opens `path` and checks every field of its header against the file's size. No payload is read.
    package static func open(_ path: String) throws -> ArrayFile {
        let file = try RegularFile(path)
        let header = try header(of: file)
        return try ArrayFile(
            file: file, payloadOffset: ClipHeader.size, element: header.element, shape: header.shape,
            framesPerSecond: header.framesPerSecond, payloadCRC: header.payloadCRC)
    }

    /// The checked header of the clip file at `path`.
    package static func header(_ path: String) throws -> ClipHeader { try header(of: RegularFile(path)) }

    /// Reads all frames of the clip file at `path` and verifies both checksums.
    package static func read(_ path: String) throws -> Clip { try open(path).read() }

    /// Writes `clip` to `path` atomically: after an error or a kill no file appears.
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

/// Writes a clip file frame by frame, in constant memory.
package final class ClipFileWriter {
    private let file: AtomicFile
    private var header: ClipHeader
    private var crc = CRC32()

    package init(_ path: String, element: ClipElement, channels: Int, rows: Int, columns: Int, framesPerSecond: Float) throws {
        header = ClipHeader(
            element: element, shape: ClipShape(frames: 1, channels: channels, rows: rows, columns: columns),
            framesPerSecond: framesPerSecond, payloadCRC: 0)
        if let complaint = header.shape.complaint { throw VidclassError.file(path, "cannot write this clip: \(complaint)") }
        guard framesPerSecond.isFinite, framesPerSecond >= 0 else {
            throw VidclassError.file(path, "cannot write this clip: expected 0 or more frames per second, found \(framesPerSecond)")
        }
        file = try AtomicFile(path)
        // A placeholder: the number of frames and the checksum are known at the end.
        try file.write(header.bytes)
    }

    /// Appends whole (channels, rows, columns) frames. Throws if a float is not finite.
    package func append(_ frames: UnsafeRawBufferPointer) throws {
        let frameBytes = header.shape.frameCount * header.element.size
        precondition(frames.count % frameBytes == 0, "\(frames.count) bytes are not whole frames of \(frameBytes)")
        if header.element == .float32 {
            for offset in stride(from: 0, to: frames.count, by: 4) {
                let value = frames.loadUnaligned(fromByteOffset: offset, as: Float.self)
                guard value.isFinite else {
                    throw VidclassError.file(file.path, "cannot write this clip: expected finite values, found \(value)")
                }
            }
        }
        crc.update(frames)
        try file.write(frames)
    }

    /// The number of frames written so far.
    package var frames: Int { (file.size - ClipHeader.size) / (header.shape.frameCount * header.element.size) }

    /// Completes the header and publishes the file. `framesPerSecond` replaces the rate given at the start.
    package func commit(framesPerSecond: Float? = nil) throws {
        header.shape.frames = frames
        header.payloadCRC = crc.value
        if let framesPerSecond { header.framesPerSecond = framesPerSecond }
        if let complaint = header.shape.complaint { throw VidclassError.file(file.path, "cannot write this clip: \(complaint)") }
        try file.overwrite(header.bytes, at: 0)
        try file.commit()
    }
}
