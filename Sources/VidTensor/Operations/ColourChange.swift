import CKernels

/// Brightness, contrast and saturation of a clip, changed in this order by factors (1 = no change), as torchvision's functions of
/// these names do.
///
/// - brightness: values are multiplied.
/// - contrast: differences from the mean grey are multiplied; the mean is that of all frames together, after brightness, so
///   that every frame of a clip changes alike.
/// - saturation: differences from the pixel's own grey are multiplied; for three channels only.
///
/// Grey is 0.299 R + 0.587 G + 0.114 B; for other than three channels it is their mean. Bytes are kept within 0...255 after each
/// step and rounded at the end; floats, which need not be brightnesses, have no bounds.
package struct ColourChange: Sendable, Equatable {
    package var brightness: Float
    package var contrast: Float
    package var saturation: Float

    package init(brightness: Float = 1, contrast: Float = 1, saturation: Float = 1) {
        self.brightness = brightness
        self.contrast = contrast
        self.saturation = saturation
    }

    package var isIdentity: Bool { brightness == 1 && contrast == 1 && saturation == 1 }

    /// Changes `values`, (frames, channels, rows, columns), in place.
    package func apply(to values: inout [UInt8], frames: Int, channels: Int) {
        apply(to: &values, frames, channels, sum: vc_brightened_sum_bytes, frame: vc_colour_bytes)
    }

    /// The same for floats.
    package func apply(to values: inout [Float], frames: Int, channels: Int) {
        apply(to: &values, frames, channels, sum: vc_brightened_sum_floats, frame: vc_colour_floats)
    }

    private func apply<Value>(
        to values: inout [Value], _ frames: Int, _ channels: Int, sum: (UnsafePointer<Value>, Int, Float) -> Double,
        frame change: (UnsafeMutablePointer<Value>, Int, Int32, UnsafePointer<vc_colour>) -> Void
    ) {
        guard !isIdentity else { return }
        precondition(
            frames > 0 && channels > 0 && values.count % (frames * channels) == 0,
            "\(values.count) values for \(frames) frames of \(channels) channels")
        let positions = values.count / (frames * channels)
        let weights = channels == 3 ? [0.299, 0.587, 0.114] : [Double](repeating: 1 / Double(channels), count: channels)
        values.withUnsafeMutableBufferPointer { values in
            guard let base = values.baseAddress else { return }
            var total = 0.0
            if contrast != 1 {
                for plane in 0..<frames * channels {
                    total += weights[plane % channels] * sum(base + plane * positions, positions, brightness)
                }
            }
            var colour = vc_colour(
                brightness: brightness, contrast: contrast, saturation: saturation, mean: Float(total / Double(frames * positions)))
            for frame in 0..<frames { change(base + frame * channels * positions, positions, Int32(channels), &colour) }
        }
    }
}
