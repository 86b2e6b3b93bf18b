import VidData

/// The frames of a clip as pictures for people.
package enum FramePixels {
    /// Each frame as bytes (rows, columns, 3) of red, green, blue.
    ///
    /// Three channels are red, green and blue; for any other number of channels, the mean is shown in grey. Floats are multiplied by
    /// 255 if all are in 0...1, unchanged if all are in 0...255, and otherwise stretched so that the clip's smallest value is black
    /// and its largest white.
    package static func rgb(_ clip: Clip) -> [[UInt8]] {
        let shape = clip.shape
        let pixels = shape.rows * shape.columns
        let tone: (Int) -> UInt8
        switch clip.pixels {
        case .bytes(let values): tone = { values[$0] }
        case .floats(let values):
            let (low, high) = range(values)
            let (from, scale): (Float, Float) =
                if low >= 0, high <= 1 { (0, 255) } else if low >= 0, high <= 255 { (0, 1) } else {
                    (low, 255 / max(high - low, .leastNormalMagnitude))
                }
            tone = {
                let value = (values[$0] - from) * scale
                return value.isFinite ? UInt8(min(max(value.rounded(), 0), 255)) : 0
            }
        }
        return (0..<shape.frames).map { frame in
            let base = frame * shape.channels * pixels
            return [UInt8](unsafeUninitializedCapacity: 3 * pixels) { target, count in
                for pixel in 0..<pixels {
                    if shape.channels == 3 {
                        for channel in 0..<3 { target[3 * pixel + channel] = tone(base + channel * pixels + pixel) }
                    } else {
                        var sum = 0
                        for channel in 0..<shape.channels { sum += Int(tone(base + channel * pixels + pixel)) }
                        let grey = UInt8((sum + shape.channels / 2) / shape.channels)
                        for channel in 0..<3 { target[3 * pixel + channel] = grey }
                    }
                }
                count = 3 * pixels
            }
        }
    }

    /// The smallest and largest finite number.
    private static func range(_ values: [Float]) -> (low: Float, high: Float) {
        var (low, high) = (Float.infinity, -Float.infinity)
        for value in values where value.isFinite { (low, high) = (min(low, value), max(high, value)) }
        return low <= high ? (low, high) : (0, 1)
    }
}
