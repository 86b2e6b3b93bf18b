import VidConfig
import VidSystem
import VidTensor

/// The changes of one taking of a training clip, the same for all its frames: numbers drawn from a stream of a seed.
///
/// From block 2^32 of the stream on (the blocks before are the sampling's) words are drawn in this order, each whether it is
/// used or not: mirroring, ten tries of a crop (`CropBox`), brightness, contrast, saturation, rotation, reversal; then, from a
/// block of their own, a word for each frame that may be dropped. So one setting does not change what the others draw.
///
/// Order of the changes: frames dropped, time reversed; cropped and resized, mirrored, rotated, in one passage over the
/// pixels; brightness, contrast, saturation.
package struct ClipAugmentation: Sendable, Equatable {
    package let order: FrameOrder
    package let geometry: FrameGeometry
    package let colour: ColourChange
    private let dropRandom: RandomGenerator
    private let rows: Int
    private let columns: Int

    private static let firstBlock = 1 << 32

    package init(_ configuration: AugmentationConfiguration, seed: UInt64, stream: UInt64, rows: Int, columns: Int) {
        var random = RandomGenerator(seed: seed, stream: stream)
        _ = random.reserveBlocks(ClipAugmentation.firstBlock)
        let isMirrored = Double(random.uniform()) < configuration.horizontalFlip
        let crop = CropBox.random(configuration.randomResizedCrop, rows: rows, columns: columns, &random)
        let brightness = ClipAugmentation.factor(configuration.brightness, &random)
        let contrast = ClipAugmentation.factor(configuration.contrast, &random)
        let saturation = ClipAugmentation.factor(configuration.saturation, &random)
        let rotation = configuration.rotation * (2 * Double(random.uniform()) - 1)
        let isReversed = Double(random.uniform()) < configuration.timeReverse
        _ = random.reserveBlocks(1)
        order = FrameOrder(dropProbability: configuration.frameDrop, isReversed: isReversed)
        geometry = FrameGeometry(crop: crop, isMirrored: isMirrored, rotation: rotation)
        colour = ColourChange(brightness: brightness, contrast: contrast, saturation: saturation)
        dropRandom = random
        self.rows = rows
        self.columns = columns
    }

    /// From max(0, 1 - `most`) to 1 + `most`, torchvision's ColorJitter.
    private static func factor(_ most: Double, _ random: inout RandomGenerator) -> Float {
        let low = max(0, 1 - most)
        return Float(low + (1 + most - low) * Double(random.uniform()))
    }

    /// The places, of `count` frames, that are shown.
    package func places(_ count: Int) -> [Int] {
        var random = dropRandom
        return order.places(count, &random)
    }

    /// `clip` with its pixels changed. Bytes stay bytes, rounded and kept within 0...255; floats stay floats and have no bounds.
    package func changePixels(_ clip: Clip) -> Clip {
        let map = geometry.map(rows: rows, columns: columns)
        guard !map.isIdentity || !colour.isIdentity else { return clip }
        let shape = clip.shape
        precondition(shape.rows == rows && shape.columns == columns, "frames of \(shape) for changes of \(rows)x\(columns)")
        let planes = shape.frames * shape.channels
        let pixels: Clip.Pixels
        switch clip.pixels {
        case .bytes(var values):
            if !map.isIdentity { values = AffineWarp.warp(values, planes: planes, rows: rows, columns: columns, by: map) }
            colour.apply(to: &values, frames: shape.frames, channels: shape.channels)
            pixels = .bytes(values)
        case .floats(var values):
            if !map.isIdentity { values = AffineWarp.warp(values, planes: planes, rows: rows, columns: columns, by: map) }
            colour.apply(to: &values, frames: shape.frames, channels: shape.channels)
            pixels = .floats(values)
        }
        return Clip(shape: shape, pixels: pixels, framesPerSecond: clip.framesPerSecond)
    }
}

extension AugmentationConfiguration {
    /// Every setting that changes a clip, for keys.
    var text: String {
        var own = self
        // What the training makes of clips that are loaded.
        own.mixup = 0
        own.copies = nil
        return AugmentationConfiguration.codec.encode(own).text()
    }
}
