import VidTensor

/// An uncompressed file of frames, `.bin` or `.npy`, open for reading; its header is checked, its payload not read yet.
package final class ArrayFile {
    package let element: ClipElement
    package let shape: ClipShape
    package let framesPerSecond: Float

    private let file: RegularFile
    private let payloadOffset: Int
    private let payloadCRC: UInt32?
    /// Whether the file's axes are (frames, rows, columns, channels).
    private let isChannelsLast: Bool

    /// The caller has checked that the payload of `shape` ends with the file.
    init(
        file: RegularFile, payloadOffset: Int, element: ClipElement, shape: ClipShape, framesPerSecond: Float = 0,
        payloadCRC: UInt32? = nil, isChannelsLast: Bool = false
    ) {
        self.file = file
        self.payloadOffset = payloadOffset
        self.element = element
        self.shape = shape
        self.framesPerSecond = framesPerSecond
        self.payloadCRC = payloadCRC
        self.isChannelsLast = isChannelsLast
    }

    package var path: String { file.path }

    private static let chunk = 1 << 20

    /// The frames at `indices` (rising, each once), with `framesPerSecond` scaled to how many of the frames they are.
    ///
    /// The whole payload is read once, a piece at a time, for its checksum and for values that are not finite; memory
    /// holds only the frames asked for.
    package func read(frames indices: [Int]? = nil) throws -> Clip {
        let indices = indices ?? Array(0..<shape.frames)
        precondition(zip(indices, indices.dropFirst()).allSatisfy { $0 < $1 }, "frames to read must rise: \(indices)")
        precondition(indices.allSatisfy { (0..<shape.frames).contains($0) }, "frames \(indices) of \(shape.frames)")
        var selected = shape
        selected.frames = indices.count
        let rate = indices.count == shape.frames ? framesPerSecond : framesPerSecond * Float(indices.count) / Float(shape.frames)
        switch element {
        case .uint8:
            var values = [UInt8](repeating: 0, count: selected.count)
            try values.withUnsafeMutableBytes { try fill($0, indices) }
            return Clip(shape: selected, pixels: .bytes(channelsFirst(values, selected)), framesPerSecond: rate)
        case .float32:
            var values = [Float](repeating: 0, count: selected.count)
            try values.withUnsafeMutableBytes { try fill($0, indices) }
            return Clip(shape: selected, pixels: .floats(channelsFirst(values, selected)), framesPerSecond: rate)
        }
    }

    /// Reads the payload through a piece of memory and copies what belongs to the frames `indices` to `destination`.
    private func fill(_ destination: UnsafeMutableRawBufferPointer, _ indices: [Int]) throws {
        let frameBytes = shape.frameCount * element.size
        let total = frameBytes * shape.frames
        let piece = UnsafeMutableRawBufferPointer.allocate(byteCount: min(total, ArrayFile.chunk), alignment: 64)
        defer { piece.deallocate() }
        var crc = CRC32()
        var next = 0  // the first of `indices` that is not wholly copied
        var offset = 0
        while offset < total {
            let bytes = UnsafeMutableRawBufferPointer(rebasing: piece[0..<min(piece.count, total - offset)])
            try file.read(into: bytes, at: payloadOffset + offset)
            if payloadCRC != nil { crc.update(UnsafeRawBufferPointer(bytes)) }
            if element == .float32 { try checkFinite(UnsafeRawBufferPointer(bytes), at: offset) }
            let end = offset + bytes.count
            while next < indices.count {
                let start = indices[next] * frameBytes
                let low = max(start, offset)
                let high = min(start + frameBytes, end)
                if low >= high { break }
                (destination.baseAddress! + next * frameBytes + (low - start)).copyMemory(
                    from: piece.baseAddress! + (low - offset), byteCount: high - low)
                if high < start + frameBytes { break }
                next += 1
            }
            offset = end
        }
        if let payloadCRC, payloadCRC != crc.value {
            throw VidclassError.file(path, "the payload's checksum (CRC-32 at byte 40) is wrong: the file is damaged")
        }
    }

    /// Refuses values whose exponent is all ones; `offset` is the piece's place in the payload, in bytes.
    private func checkFinite(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws {
        let words = bytes.bindMemory(to: UInt32.self)
        var isBad = false
        for word in words { isBad = isBad || word & 0x7F80_0000 == 0x7F80_0000 }
        guard isBad else { return }
        let place = words.firstIndex { $0 & 0x7F80_0000 == 0x7F80_0000 } ?? 0
        let value = offset / 4 + place
        throw VidclassError.file(
            path, "expected finite values, found \(Float(bitPattern: words[place])) in frame \(value / shape.frameCount) (value \(value))")
    }

    /// (frames, rows, columns, channels) to (frames, channels, rows, columns), where the file has the former.
    private func channelsFirst<Value>(_ values: [Value], _ shape: ClipShape) -> [Value] {
        guard isChannelsLast, shape.channels > 1 else { return values }
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
}
