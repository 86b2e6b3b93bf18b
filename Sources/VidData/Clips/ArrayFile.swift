import VidSystem
import VidTensor

/// An open, uncompressed file of frames or vectors (`.bin` or `.npy`) whose header is checked and whose payload is not read yet.
package final class ArrayFile {
    package let element: ClipElement
    package let shape: ClipShape
    /// Whether the frames are vectors: 1 row of so many columns with 1 channel.
    package let isVectors: Bool
    package let framesPerSecond: Float

    private let file: RegularFile
    private let payloadOffset: Int
    private let payloadCRC: UInt32?
    /// Whether the file's axes are (frames, rows, columns, channels).
    private let isChannelsLast: Bool
    /// Whether the stored values are float64, which are read as float32.
    private let isDouble: Bool

    /// Throws `.badData` if the payload of `shape` does not end exactly where the file ends.
    init(
        file: RegularFile, payloadOffset: Int, element: ClipElement, shape: ClipShape, framesPerSecond: Float = 0,
        payloadCRC: UInt32? = nil, isChannelsLast: Bool = false, isVectors: Bool = false, isDouble: Bool = false
    ) throws {
        try ArrayFile.check(payload: shape.count * element.size * (isDouble ? 2 : 1), found: file.size - payloadOffset, path: file.path)
        self.file = file
        self.payloadOffset = payloadOffset
        self.element = element
        self.shape = shape
        self.framesPerSecond = framesPerSecond
        self.payloadCRC = payloadCRC
        self.isChannelsLast = isChannelsLast
        self.isVectors = isVectors
        self.isDouble = isDouble
    }

    /// The type of the stored values.
    package var coding: String { isDouble ? "float64" : element.name }

    package var path: String { file.path }

    package var times: FrameTimes { FrameTimes(count: shape.frames, rate: Double(framesPerSecond)) }

    private static let chunk = 1 << 20

    /// Throws `.badData` if the `found` bytes after a header are not the `payload` bytes that it describes.
    static func check(payload: Int, found: Int, path: String) throws {
        guard found >= payload else {
            throw VidclassError.file(path, "cut off: expected \(payload) bytes after the header, found \(found)")
        }
        guard found == payload else {
            throw VidclassError.file(path, "\(found - payload) bytes too many: expected \(payload) after the header, found \(found)")
        }
    }

    /// Reads the frames at `indices` (ascending, each once). `framesPerSecond` is scaled by the share of frames read.
    ///
    /// The whole payload passes once, a piece at a time, to verify its checksum and that all values are finite; only the
    /// requested frames are kept in memory. Of a file without a checksum, only the frames `within` a range pass.
    package func read(frames indices: [Int]? = nil, within range: Range<Int>? = nil) throws -> Clip {
        let indices = indices ?? Array(0..<shape.frames)
        precondition(zip(indices, indices.dropFirst()).allSatisfy { $0 < $1 }, "frame indices must ascend: \(indices)")
        precondition(indices.allSatisfy { (0..<shape.frames).contains($0) }, "frames \(indices) of \(shape.frames)")
        var selected = shape
        selected.frames = indices.count
        try checkMemory(selected)
        let rate = indices.count == shape.frames ? framesPerSecond : framesPerSecond * Float(indices.count) / Float(shape.frames)
        switch element {
        case .uint8:
            var values = [UInt8](repeating: 0, count: selected.count)
            try values.withUnsafeMutableBytes { try fill($0, indices, range) }
            return Clip(shape: selected, pixels: .bytes(channelsFirst(values, selected)), framesPerSecond: rate)
        case .float32:
            var values = [Float](repeating: 0, count: selected.count)
            try values.withUnsafeMutableBytes { try fill($0, indices, range) }
            return Clip(shape: selected, pixels: .floats(channelsFirst(values, selected)), framesPerSecond: rate)
        }
    }

    /// Passes the frames at `indices` (ascending, each once) to `consume`, one (channels, rows, columns) frame at a time, and
    /// calls `deliver` between pieces of the file. Memory holds one frame and one piece.
    ///
    /// The payload is read once, as in `read`; a wrong checksum is detected at its end.
    func stream(
        frames indices: [Int], within range: Range<Int>? = nil, consume: (UnsafeRawBufferPointer) throws -> Void,
        deliver: () async throws -> Void
    ) async throws {
        var one = shape
        one.frames = 1
        try checkMemory(one)
        let frame = UnsafeMutableRawBufferPointer.allocate(byteCount: one.count * element.size, alignment: 64)
        defer { frame.deallocate() }
        func hand(_ bytes: UnsafeRawBufferPointer) throws {
            guard isChannelsLast, one.channels > 1 else { return try consume(bytes) }
            switch element {
            case .uint8: try planar(bytes.bindMemory(to: UInt8.self), one).withUnsafeBytes(consume)
            case .float32: try planar(bytes.bindMemory(to: Float.self), one).withUnsafeBytes(consume)
            }
        }
        let pass = Pass(self, indices, range)
        while try pass.step({ _ in frame.baseAddress! }, done: { _ in try hand(UnsafeRawBufferPointer(frame)) }) { try await deliver() }
    }

    /// Throws if `frames`, held at once, would take more than a quarter of the machine's memory: a sparse file can be huge
    /// without taking any disk space.
    private func checkMemory(_ frames: ClipShape) throws {
        let bytes = frames.count * element.size
        guard bytes <= Machine.memoryBytes / 4 else {
            throw VidclassError.file(
                path,
                "\(frames.frames) frames of \(frames.rows)x\(frames.columns) with \(frames.channels) channels take "
                    + "\(bytes >> 20) MiB, more than a quarter of this machine's memory")
        }
        // A piece of the file and, for other orders of the axes, a second copy.
        try MemoryBudget.checkLoading(2 * bytes + ArrayFile.chunk, of: path)
    }

    /// Copies the frames at `indices` to `destination`, one after the other.
    private func fill(_ destination: UnsafeMutableRawBufferPointer, _ indices: [Int], _ range: Range<Int>?) throws {
        let frameBytes = shape.frameCount * element.size
        let pass = Pass(self, indices, range)
        while try pass.step({ destination.baseAddress! + $0 * frameBytes }) {}
    }

    /// Throws if a value's exponent is all ones (infinity, NaN). `offset` is the byte offset of the piece in the payload.
    private func checkFinite(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws {
        let words = bytes.bindMemory(to: UInt32.self)
        var isBad = false
        for word in words { isBad = isBad || word & 0x7F80_0000 == 0x7F80_0000 }
        // guard: finite-values, without: isBad -> false
        guard isBad else { return }
        let place = words.firstIndex { $0 & 0x7F80_0000 == 0x7F80_0000 } ?? 0
        let value = offset / 4 + place
        let found = Float(bitPattern: words[place])
        throw VidclassError.file(
            path,
            "expected finite values, found \(found) in frame \(value / shape.frameCount)"
                + (isVectors ? ", feature \(value % shape.frameCount)" : " (value \(value))")
                + (isDouble && found.isInfinite ? " (float32 reaches 3.4e38)" : ""))
    }

    /// Reorders (frames, rows, columns, channels) to (frames, channels, rows, columns) if the file is channels-last.
    private func channelsFirst<Value>(_ values: [Value], _ shape: ClipShape) -> [Value] {
        guard isChannelsLast, shape.channels > 1 else { return values }
        return values.withUnsafeBufferPointer { planar($0, shape) }
    }

    private func planar<Value>(_ values: UnsafeBufferPointer<Value>, _ shape: ClipShape) -> [Value] {
        let pixels = shape.rows * shape.columns
        return [Value](unsafeUninitializedCapacity: values.count) { target, count in
            for frame in 0..<shape.frames {
                for channel in 0..<shape.channels {
                    let base = frame * shape.frameCount
                    for pixel in 0..<pixels {
                        target.initializeElement(
                            at: base + channel * pixels + pixel, to: values[base + pixel * shape.channels + channel])
                    }
                }
            }
            count = values.count
        }
    }

    /// One pass over the payload, or the part of it that is needed, a piece at a time: copies the chosen frames and checks every value.
    private final class Pass {
        private let file: ArrayFile
        private let indices: [Int]
        private let frameBytes: Int
        /// Where the pass ends in the payload.
        private let end: Int
        /// Holds the stored values, and then the read ones in their place.
        private let piece: UnsafeMutableRawBufferPointer
        private let pieceBytes: Int
        private var crc = CRC32()
        /// The place in `indices` of the first frame that is not completely copied.
        private var next = 0
        private var offset: Int

        init(_ file: ArrayFile, _ indices: [Int], _ range: Range<Int>?) {
            self.file = file
            self.indices = indices
            frameBytes = file.shape.frameCount * file.element.size
            let range = file.payloadCRC == nil ? range ?? 0..<file.shape.frames : 0..<file.shape.frames
            offset = frameBytes * range.lowerBound
            end = frameBytes * range.upperBound
            pieceBytes = min(end - offset, ArrayFile.chunk)
            piece = .allocate(byteCount: pieceBytes * (file.isDouble ? 2 : 1), alignment: 64)
        }

        deinit { piece.deallocate() }

        /// Reads the next piece. `place` returns the destination of the frame at a place in `indices`; `done` is called when that
        /// frame is complete. Returns false at the end of the payload, after verifying its checksum.
        func step(_ place: (Int) -> UnsafeMutableRawPointer, done: (Int) throws -> Void = { _ in }) throws -> Bool {
            guard offset < end else {
                if let expected = file.payloadCRC, expected != crc.value {
                    throw VidclassError.file(
                        file.path, "the payload's checksum (CRC-32 at byte 40) is wrong: the file is damaged")
                }
                return false
            }
            let bytes = UnsafeMutableRawBufferPointer(rebasing: piece[0..<min(pieceBytes, end - offset)])
            if file.isDouble {
                try file.file.read(
                    into: UnsafeMutableRawBufferPointer(rebasing: piece[0..<2 * bytes.count]), at: file.payloadOffset + 2 * offset)
                for value in 0..<bytes.count / 4 {
                    let double = piece.loadUnaligned(fromByteOffset: 8 * value, as: Double.self)
                    piece.storeBytes(of: Float(double), toByteOffset: 4 * value, as: Float.self)
                }
            } else {
                try file.file.read(into: bytes, at: file.payloadOffset + offset)
            }
            if file.payloadCRC != nil { crc.update(UnsafeRawBufferPointer(bytes)) }
            if file.element == .float32 { try file.checkFinite(UnsafeRawBufferPointer(bytes), at: offset) }
            let pieceEnd = offset + bytes.count
            while next < indices.count {
                let start = indices[next] * frameBytes
                let low = max(start, offset)
                let high = min(start + frameBytes, pieceEnd)
                if low >= high { break }
                (place(next) + (low - start)).copyMemory(from: bytes.baseAddress! + (low - offset), byteCount: high - low)
                if high < start + frameBytes { break }
                try done(next)
                next += 1
            }
            offset = pieceEnd
            return true
        }
    }
}
