import CKernels

/// The conversion of raw pixels (0...255) to the network's input. Each output channel has a channel of the file and the
/// formula x * scale + offset.
///
/// Three channels are a colour, RGB in the file. With any other number, every channel keeps its place, and conversions with a
/// value per colour use the mean of the three values for all channels. Floats are converted by the same formula, so they are
/// expected on the scale of bytes, 0...255.
package struct Preprocessing: Sendable, Equatable {
    package let order: [Int32]
    package let scale: [Float]
    package let offset: [Float]

    package var channels: Int { order.count }

    private init(channels: Int, scale: Float, offset: Float) {
        precondition(channels > 0, "\(channels) channels")
        order = (0..<channels).map(Int32.init)
        self.scale = [Float](repeating: scale, count: channels)
        self.offset = [Float](repeating: offset, count: channels)
    }

    private init(order: [Int32], scale: [Float], offset: [Float]) {
        self.order = order
        self.scale = scale
        self.offset = offset
    }

    /// BGR minus 103.939, 116.779, 123.68 (Caffe's VGG; Keras's `mode="caffe"`). Other than three channels: minus 114.799.
    package static func caffe(channels: Int) -> Preprocessing {
        let means = [103.939, 116.779, 123.68]
        guard channels == 3 else { return Preprocessing(channels: channels, scale: 1, offset: Float(-mean(means))) }
        return Preprocessing(order: [2, 1, 0], scale: [1, 1, 1], offset: means.map { Float(-$0) })
    }

    /// (x / 255 - (0.485, 0.456, 0.406)) / (0.229, 0.224, 0.225), RGB (torchvision). Other than three channels: the
    /// means, 0.449 and 0.226.
    package static func torch(channels: Int) -> Preprocessing {
        let means = [0.485, 0.456, 0.406]
        let deviations = [0.229, 0.224, 0.225]
        guard channels == 3 else {
            let deviation = mean(deviations)
            return Preprocessing(channels: channels, scale: Float(1 / (255 * deviation)), offset: Float(-mean(means) / deviation))
        }
        return Preprocessing(
            order: [0, 1, 2], scale: deviations.map { Float(1 / (255 * $0)) }, offset: zip(means, deviations).map { Float(-$0 / $1) })
    }

    /// x / 255.
    package static func unit(channels: Int) -> Preprocessing { Preprocessing(channels: channels, scale: 1 / 255, offset: 0) }

    /// x / 127.5 - 1.
    package static func symmetric(channels: Int) -> Preprocessing { Preprocessing(channels: channels, scale: 1 / 127.5, offset: -1) }

    /// x.
    package static func none(channels: Int) -> Preprocessing { Preprocessing(channels: channels, scale: 1, offset: 0) }

    private static func mean(_ values: [Double]) -> Double { values.reduce(0, +) / Double(values.count) }
}

/// Converts frames in the layout of files, (N, C, H, W), to the network's preprocessed floats, (N, H, W, C).
package enum PixelConversion {
    /// `source` holds N x C x H x W bytes.
    package static func convert(bytes source: UnsafePointer<UInt8>, rule: Preprocessing, into frames: Tensor, workers: Workers) {
        let positions = check(rule, frames)
        workers.forEach(frames.shape[0]) { frame, _ in
            let at = frame * positions * rule.channels
            vc_pixels_from_bytes(source + at, positions, Int32(rule.channels), rule.order, rule.scale, rule.offset, frames.base + at)
        }
    }

    /// `source` holds N x C x H x W floats.
    package static func convert(floats source: UnsafePointer<Float>, rule: Preprocessing, into frames: Tensor, workers: Workers) {
        let positions = check(rule, frames)
        workers.forEach(frames.shape[0]) { frame, _ in
            let at = frame * positions * rule.channels
            vc_pixels_from_floats(source + at, positions, Int32(rule.channels), rule.order, rule.scale, rule.offset, frames.base + at)
        }
    }

    /// The positions of a frame.
    private static func check(_ rule: Preprocessing, _ frames: Tensor) -> Int {
        precondition(
            frames.shape.rank == 4 && frames.shape[3] == rule.channels, "frames \(frames.shape) for a rule of \(rule.channels) channels")
        return frames.shape[1] * frames.shape[2]
    }
}
