import VidSystem
import VidTensor

/// Frames in memory: (frames, channels, rows, columns) in C order; three channels are RGB.
package struct Clip: Sendable, Equatable {
    package enum Pixels: Sendable, Equatable {
        case bytes([UInt8])
        case floats([Float])

        package var count: Int {
            switch self {
            case .bytes(let values): values.count
            case .floats(let values): values.count
            }
        }
    }

    package let shape: ClipShape
    package let pixels: Pixels
    /// The rate of these frames; 0 = unknown.
    package let framesPerSecond: Float

    package init(shape: ClipShape, pixels: Pixels, framesPerSecond: Float = 0) {
        precondition(pixels.count == shape.count, "\(pixels.count) values for a clip of shape \(shape)")
        self.shape = shape
        self.pixels = pixels
        self.framesPerSecond = framesPerSecond
    }

    /// The size of the values in bytes.
    package var byteCount: Int { shape.count * element.size }

    package var element: ClipElement {
        switch pixels {
        case .bytes: .uint8
        case .floats: .float32
        }
    }

    /// Calls `body` with the values as bytes in the order of a clip file's payload.
    package func withUnsafeBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
        switch pixels {
        case .bytes(let values): try values.withUnsafeBytes(body)
        case .floats(let values): try values.withUnsafeBytes(body)
        }
    }

    /// Returns a clip of the frames at `indices`, in that order; frames may be repeated or left out.
    package func selecting(_ indices: [Int], framesPerSecond: Float? = nil) -> Clip {
        if indices == Array(0..<shape.frames) {
            return Clip(shape: shape, pixels: pixels, framesPerSecond: framesPerSecond ?? self.framesPerSecond)
        }
        let size = shape.frameCount
        func select<Value>(_ values: [Value]) -> [Value] {
            var selected: [Value] = []
            selected.reserveCapacity(indices.count * size)
            for index in indices { selected.append(contentsOf: values[index * size..<(index + 1) * size]) }
            return selected
        }
        var shape = shape
        shape.frames = indices.count
        let pixels: Pixels =
            switch pixels {
            case .bytes(let values): .bytes(select(values))
            case .floats(let values): .floats(select(values))
            }
        return Clip(shape: shape, pixels: pixels, framesPerSecond: framesPerSecond ?? self.framesPerSecond)
    }

    /// SHA-256 of element type, extents and values in hexadecimal. Equal frames have equal hashes whatever file they came from.
    package var contentHash: String {
        var hash = SHA256()
        var header: [UInt8] = [element.rawValue]
        for extent in [shape.frames, shape.channels, shape.rows, shape.columns] {
            header += LittleEndian.bytes(UInt64(extent))
        }
        hash.update(header)
        withUnsafeBytes { hash.update($0) }
        return hash.digest().hexadecimal
    }
}
