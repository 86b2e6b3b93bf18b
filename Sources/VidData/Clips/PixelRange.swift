import VidSystem

/// The lowest and highest value of frames.
package struct PixelRange: Sendable, Equatable {
    package let lowest: Float
    package let highest: Float

    package init(lowest: Float, highest: Float) {
        (self.lowest, self.highest) = (lowest, highest)
    }

    /// The range of float32 frames; nil for frames of bytes, which need no look.
    package init?(_ clip: Clip) {
        guard case .floats(let values) = clip.pixels, let first = values.first else { return nil }
        var (lowest, highest) = (first, first)
        for value in values {
            lowest = min(lowest, value)
            highest = max(highest, value)
        }
        self.init(lowest: lowest, highest: highest)
    }

    /// Why these values are not pixels on the scale of bytes, and how to change the array `a`; nil if they may be.
    package var fault: String? {
        let found = "float32 values from \(text(lowest)) to \(text(highest)) instead of 0 to 255; "
        if lowest >= 0, highest <= 1, highest > 0 { return found + "multiply them by 255: save (a * 255).astype('float32')" }
        if lowest >= -1, lowest < 0, highest <= 1 { return found + "change them with ((a + 1) * 127.5).astype('float32')" }
        if lowest >= 0, highest > 256 {
            return found + "scale all clips alike, for example with (a * (255 / \(text(highest)))).astype('float32')"
        }
        return nil
    }

    private func text(_ value: Float) -> String {
        let rounded = (value * 1000).rounded() / 1000
        return rounded == rounded.rounded() && abs(rounded) < 1e9 ? "\(Int(rounded))" : "\(rounded)"
    }
}
