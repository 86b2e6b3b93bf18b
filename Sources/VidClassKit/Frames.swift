internal import VidData
internal import VidSystem

/// Frames in memory, uint8 or float32, to classify or to write into a clip file.
///
/// For a model that was trained on pixels, values are from 0 to 255, and three channels are RGB; the model does its own preprocessing.
/// Float values are on the same scale, and finite.
public struct Frames: Sendable {
    /// The order of the axes in an array of frames.
    public enum Layout: Sendable {
        /// (frames, channels, rows, columns), as in clip files and PyTorch.
        case channelsFirst
        /// (frames, rows, columns, channels), as in OpenCV, Keras and most decoders.
        case channelsLast
    }

    public let shape: InputShape
    let clip: Clip

    /// Frames of bytes.
    ///
    /// - Parameters:
    ///   - values: the pixels in C order: the last axis of the layout varies fastest.
    ///   - shape: their extents. At most 64 channels and 16,384 rows and columns.
    ///   - layout: the order of the axes; without effect on vectors.
    ///   - framesPerSecond: the rate, for models that sample by time (`data.sampling.fps`); 0 if unknown.
    /// - Throws: ``VidClassError`` with `.usage` if the number of values is not that of the shape, or an extent or the rate is impossible,
    ///   and with `.badData` if there is not enough free memory for a copy.
    public init(_ values: [UInt8], shape: InputShape, layout: Layout = .channelsFirst, framesPerSecond: Double = 0) throws {
        self = try values.withUnsafeBufferPointer {
            try Frames(copying: $0, shape: shape, layout: layout, framesPerSecond: framesPerSecond)
        }
    }

    /// Frames of float32 values.
    ///
    /// - Parameters:
    ///   - values: the pixels or vectors in C order: the last axis of the layout varies fastest.
    ///   - shape: their extents. At most 64 channels and 16,384 rows and columns.
    ///   - layout: the order of the axes; without effect on vectors.
    ///   - framesPerSecond: the rate, for models that sample by time (`data.sampling.fps`); 0 if unknown.
    /// - Throws: the errors of bytes, and ``VidClassError`` with `.badData` for a value that is not finite.
    public init(_ values: [Float], shape: InputShape, layout: Layout = .channelsFirst, framesPerSecond: Double = 0) throws {
        self = try values.withUnsafeBufferPointer {
            try Frames(copying: $0, shape: shape, layout: layout, framesPerSecond: framesPerSecond)
        }
    }

    /// The same from memory of the caller, which is copied.
    package init(copying values: UnsafeBufferPointer<UInt8>, shape: InputShape, layout: Layout, framesPerSecond: Double) throws {
        let values = try Frames.channelsFirst(values, shape, layout, framesPerSecond)
        self.init(Clip(shape: shape.clip, pixels: .bytes(values), framesPerSecond: Float(framesPerSecond)), shape)
    }

    package init(copying values: UnsafeBufferPointer<Float>, shape: InputShape, layout: Layout, framesPerSecond: Double) throws {
        let values = try Frames.channelsFirst(values, shape, layout, framesPerSecond)
        if let place = values.firstIndex(where: { !$0.isFinite }) {
            let frame = place / shape.clip.frameCount
            throw VidClassError(.badData, "the frames: expected finite values, found \(values[place]) in frame \(frame)")
        }
        self.init(Clip(shape: shape.clip, pixels: .floats(values), framesPerSecond: Float(framesPerSecond)), shape)
    }

    private init(_ clip: Clip, _ shape: InputShape) { (self.clip, self.shape) = (clip, shape) }

    /// Writes the frames as a clip file, which every command and data set takes. It appears whole or not at all.
    ///
    /// - Parameter path: ends in `.bin`, for vectors in `.npy`. Its folder must exist.
    /// - Throws: ``VidClassError`` with `.usage` for another extension or for vectors of bytes, `.inputOutput` if the file cannot be
    ///   written.
    public func write(to path: String) throws {
        let expected = shape.isVectors ? "npy" : "bin"
        guard PathText.fileExtension(path) == expected else {
            let what = shape.isVectors ? "vectors" : "frames of pixels"
            throw VidClassError(.usage, "\(path.printable): expected the extension .\(expected) for \(what)")
        }
        try VidClassError.translating {
            guard shape.isVectors else { return try ClipFile.write(clip, to: path) }
            guard case .floats(let values) = clip.pixels else {
                throw VidclassError(.usage, "\(path.printable): vectors are float32 numbers, but these are bytes")
            }
            try NumpyFile.write(values, features: shape.columns, to: path)
        }
    }

    /// Checks the values' number and copies them with the channels first.
    private static func channelsFirst<Value: BitwiseCopyable>(
        _ values: UnsafeBufferPointer<Value>, _ shape: InputShape, _ layout: Layout, _ framesPerSecond: Double
    ) throws -> [Value] {
        if let complaint = shape.clip.complaint { throw VidClassError(.usage, "the frames: \(complaint)") }
        let count = shape.clip.count
        guard values.count == count else {
            throw VidClassError(.usage, "the frames: expected \(count) values for \(shape), found \(values.count)")
        }
        guard framesPerSecond >= 0, framesPerSecond <= 1e6 else {
            throw VidClassError(.usage, "the frames: expected a rate from 0 (unknown) to 1000000 per second, found \(framesPerSecond)")
        }
        try VidClassError.translating { try MemoryBudget.checkLoading(count * MemoryLayout<Value>.stride, of: "the frames") }
        guard layout == .channelsLast, shape.channels > 1 else { return Array(values) }
        let (channels, area) = (shape.channels, shape.rows * shape.columns)
        return [Value](unsafeUninitializedCapacity: count) { target, written in
            for frame in 0..<shape.frames {
                let start = frame * channels * area
                for channel in 0..<channels {
                    for pixel in 0..<area { target[start + channel * area + pixel] = values[start + pixel * channels + channel] }
                }
            }
            written = count
        }
    }
}
