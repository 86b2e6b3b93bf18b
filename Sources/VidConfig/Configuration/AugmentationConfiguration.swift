/// Random changes of training clips: the same for all frames of a clip, drawn again for each sample.
package struct AugmentationConfiguration: ConfigurationSection {
    /// Probability of mirroring left and right.
    package var horizontalFlip: Double = 0
    package var randomResizedCrop = RandomResizedCropConfiguration()
    /// Factors are drawn from max(0, 1 - x) to 1 + x, as torchvision's ColorJitter does.
    package var brightness: Double = 0
    package var contrast: Double = 0
    package var saturation: Double = 0
    /// Angles are drawn from -x to x degrees.
    package var rotation: Double = 0
    /// Probability, for each frame, that the frame before it takes its place.
    package var frameDrop: Double = 0
    /// Probability of playing the clip backwards.
    package var timeReverse: Double = 0
    /// Alpha of the Beta distribution that the shares of two mixed clips are drawn from (Zhang et al. 2018); 0: no mixing.
    package var mixup: Double = 0
    /// Augmented copies of each clip whose frozen features are kept; nil: the frozen CNN runs on every new sample.
    package var copies: Int?

    package init() {}

    /// Whether the pixels or frames of a clip change from one sample to the next (mixup aside).
    package var changesClips: Bool {
        horizontalFlip > 0 || randomResizedCrop.scale < 1 || brightness > 0 || contrast > 0 || saturation > 0 || rotation > 0
            || frameDrop > 0 || timeReverse > 0
    }

    /// The key of the first setting that changes pixels, such as `random_resized_crop.scale`; nil if none does.
    var pixelKey: String? {
        let settings = [
            ("horizontal_flip", horizontalFlip > 0), ("random_resized_crop.scale", randomResizedCrop.scale < 1),
            ("brightness", brightness > 0), ("contrast", contrast > 0), ("saturation", saturation > 0), ("rotation", rotation > 0),
        ]
        return settings.first { $0.1 }?.0
    }
}

/// A random part of the frame, resized to the whole, as torchvision's RandomResizedCrop does.
package struct RandomResizedCropConfiguration: ConfigurationSection {
    /// The smallest share of the frame's area; 1: the whole frame.
    package var scale: Double = 1
    /// The largest ratio of width to height, relative to the frame's own; the smallest is its reciprocal.
    package var ratio: Double = 4.0 / 3

    package init() {}
}

// MARK: - Tables

extension AugmentationConfiguration {
    package static let fields: [ConfigurationField<Self>] = [
        .init("horizontal_flip", \.horizontalFlip, .number(.probability), "Probability of mirroring left and right."),
        .init(
            "random_resized_crop", \.randomResizedCrop, RandomResizedCropConfiguration.codec,
            "A random part of the frame, resized to the whole."),
        .init("brightness", \.brightness, .number(.atLeast(0)), "Pixels are multiplied by a factor from 1 - x to 1 + x."),
        .init(
            "contrast", \.contrast, .number(.atLeast(0)), "Differences from the mean grey are multiplied by a factor from 1 - x to 1 + x."),
        .init(
            "saturation", \.saturation, .number(.atLeast(0)),
            "Differences from a pixel's grey are multiplied by a factor from 1 - x to 1 + x."),
        .init("rotation", \.rotation, .number(NumberBounds(from: 0, to: 180)), "Largest angle in degrees, in either direction."),
        .init("frame_drop", \.frameDrop, .number(.share), "Probability that a frame is replaced by the one before it."),
        .init("time_reverse", \.timeReverse, .number(.probability), "Probability of playing the clip backwards."),
        .init(
            "mixup", \.mixup, .number(.atLeast(0)),
            "Alpha of the Beta distribution of the shares in which two clips are mixed; with a frozen CNN, mixup blends features, not pixels. 0: none."
        ),
        .init(
            "copies", \.copies, .nullable(.integer(1...1000)),
            "With frozen layers: augmented copies of each clip, encoded once and kept; null: clips are encoded again each epoch."),
    ]
}

extension RandomResizedCropConfiguration {
    package static let fields: [ConfigurationField<Self>] = [
        .init("scale", \.scale, .number(NumberBounds(above: 0, to: 1)), "Smallest share of the frame's area; 1: the whole frame."),
        .init("ratio", \.ratio, .number(.atLeast(1)), "Largest change of the ratio of width to height, either way."),
    ]
}
