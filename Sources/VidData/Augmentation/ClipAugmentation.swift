import VidConfig
import VidSystem
import VidTensor

/// The random changes of one training sample, the same for all its frames, drawn from a stream of a seed.
///
/// Words are drawn from block 2^32 of the stream on (sampling uses the blocks before) in this order, whether they are used or not:
/// mirroring, ten tries of a crop (`CropBox`), brightness, contrast, saturation, rotation, reversal; then, from a new block, one
/// word for each frame that may be dropped. So one setting does not affect the draws of the others.
///
/// Changes are applied in this order: drop frames, reverse time; crop and resize, mirror, rotate (in one pass over the pixels);
/// brightness, contrast, saturation.
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

    /// A random factor from max(0, 1 - `most`) to 1 + `most`, as torchvision's ColorJitter draws it.
    private static func factor(_ most: Double, _ random: inout RandomGenerator) -> Float {
        let low = max(0, 1 - most)
        return Float(low + (1 + most - low) * Double(random.uniform()))
    }

    /// The places of the frames, of `count`, in the order in which the changed clip shows them.
    package func places(_ count: Int) -> [Int] {
        var random = dropRandom
        return order.places(count, &random)
    }

    /// Returns `clip` with changed pixels. Bytes are rounded and clamped to 0...255; floats are not clamped.
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

/// Spatial changes of a frame in one map: a box of it is resized to the whole frame, mirrored, then rotated about the centre.
///
/// Where the rotated frame reaches past the box, it shows the source there, and past the source's edge the edge's pixels.
package struct FrameGeometry: Sendable, Equatable {
    package let crop: CropBox
    package let isMirrored: Bool
    /// Degrees, counter-clockwise as seen.
    package let rotation: Double

    package init(crop: CropBox, isMirrored: Bool, rotation: Double) {
        self.crop = crop
        self.isMirrored = isMirrored
        self.rotation = rotation
    }

    /// The map from places in the changed frame of `rows` x `columns` to places in the source of the same size.
    package func map(rows: Int, columns: Int) -> AffineMap {
        let toCrop = AffineMap.resizing(
            rows: rows, columns: columns, toTop: crop.top, left: crop.left, rows: crop.rows, columns: crop.columns)
        let mirror = isMirrored ? AffineMap.mirror(columns: columns) : .identity
        return toCrop.after(mirror.after(.turning(degrees: rotation, rows: rows, columns: columns)))
    }
}

/// Temporal changes of a clip: which frame is shown at which place.
package struct FrameOrder: Sendable, Equatable {
    /// The probability that a frame, other than the first, is replaced by what is shown before it; several in a row look like a
    /// frozen picture.
    package let dropProbability: Double
    package let isReversed: Bool

    package init(dropProbability: Double, isReversed: Bool) {
        self.dropProbability = dropProbability
        self.isReversed = isReversed
    }

    /// The places of the shown frames in order: first frames are dropped, then the whole is reversed. Draws one word of `random`
    /// for each of the `count` frames except the first.
    package func places(_ count: Int, _ random: inout RandomGenerator) -> [Int] {
        var places = Array(0..<count)
        for place in places.indices.dropFirst() {
            let isDropped = Double(random.uniform()) < dropProbability
            if isDropped { places[place] = places[place - 1] }
        }
        return isReversed ? places.reversed() : places
    }
}

extension AugmentationConfiguration {
    /// All settings that change a clip, as a cache key.
    var text: String {
        var own = self
        // The training loop applies these to loaded clips.
        own.mixup = 0
        own.copies = nil
        return AugmentationConfiguration.codec.encode(own).text()
    }
}
