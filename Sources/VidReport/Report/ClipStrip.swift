import VidData
import VidTensor

/// Some frames of a clip side by side, small ones enlarged and large ones made small: what a report shows of it.
package enum ClipStrip {
    package static let mostFrames = 8
    /// About as many pixels a frame is shown with.
    private static let pixels = 6400.0
    private static let gap = 2.0

    /// The picture of a clip as the model sees it; `description` says what it is of.
    ///
    /// Numbers that are not bytes are stretched from the smallest to the largest; other than 3 channels, the first is shown.
    package static func picture(of loaded: LoadedClip, description: String) throws -> ClipExample.Picture {
        let shape = loaded.clip.shape
        let count = min(mostFrames, max(1, loaded.validFrames))
        let scale = (pixels / Double(shape.rows * shape.columns)).squareRoot()
        let (width, height) = (max(8, (Double(shape.columns) * scale).rounded()), max(8, (Double(shape.rows) * scale).rounded()))
        let canvas = try Canvas(
            width: Int((width + gap) * Double(count) - gap), height: Int(height), background: Canvas.Color(0.5, 0.5, 0.5))
        for place in 0..<count {
            let frame = count == 1 ? 0 : place * (max(1, loaded.validFrames) - 1) / (count - 1)
            canvas.draw(
                rgb: rgb(loaded.clip, frame: frame), rows: shape.rows, columns: shape.columns, x: (width + gap) * Double(place), y: 0,
                width: width, height: height)
        }
        return ClipExample.Picture(png: try canvas.png(), width: canvas.width, height: canvas.height, description: description)
    }

    /// (rows, columns, 3) of a frame.
    private static func rgb(_ clip: Clip, frame: Int) -> [UInt8] {
        let shape = clip.shape
        let plane = shape.rows * shape.columns
        let start = frame * shape.channels * plane
        let planes = shape.channels == 3 ? [0, 1, 2] : [0, 0, 0]
        let value: (Int) -> UInt8
        switch clip.pixels {
        case .bytes(let values): value = { values[start + $0] }
        case .floats(let values):
            let (low, high) = range(values)
            value = { UInt8(max(0, min(255, ((values[start + $0] - low) / (high - low) * 255).rounded()))) }
        }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(plane * 3)
        for pixel in 0..<plane { for channel in planes { bytes.append(value(channel * plane + pixel)) } }
        return bytes
    }

    /// 0 to 255 or 0 to 1 where the values keep to it, else their own range.
    private static func range(_ values: [Float]) -> (Float, Float) {
        let (low, high) = (values.min() ?? 0, values.max() ?? 1)
        if low >= 0, high <= 1 { return (0, 1) }
        if low >= 0, high <= 255 { return (0, 255) }
        return (low, max(high, low + 1e-6))
    }
}
