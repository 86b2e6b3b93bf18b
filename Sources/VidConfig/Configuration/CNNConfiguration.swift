/// The convolutional network that turns each frame into a vector.
package struct CNNConfiguration: Sendable, Equatable, Codable {
    package var architecture = Architecture.vgg16
    /// `"imagenet"`, the path of a weights file, or nil for random initial weights.
    package var weights: String? = "imagenet"
    package var trainable = Trainable.none
    package var pooling = CNNPooling.average

    package init() {}
}

/// The convolutions of the CNN: 3x3, same-padded, each with a ReLU, and a 2x2 max pooling after each block.
package enum Architecture: Sendable, Equatable, Codable {
    case vgg11
    case vgg13
    case vgg16
    case vgg19
    /// The filters of each convolution, block by block.
    case blocks([[Int]])

    /// The filters of each convolution, block by block (Simonyan and Zisserman 2014, table 1: A, B, D, E).
    package var filters: [[Int]] {
        switch self {
        case .vgg11: [[64], [128], [256, 256], [512, 512], [512, 512]]
        case .vgg13: [[64, 64], [128, 128], [256, 256], [512, 512], [512, 512]]
        case .vgg16: [[64, 64], [128, 128], [256, 256, 256], [512, 512, 512], [512, 512, 512]]
        case .vgg19: [[64, 64], [128, 128], [256, 256, 256, 256], [512, 512, 512, 512], [512, 512, 512, 512]]
        case .blocks(let blocks): blocks
        }
    }

    /// Keras's names of the convolutions, first to last: `block1_conv1`, `block1_conv2`, ...
    package var convolutionNames: [String] {
        filters.enumerated().flatMap { block, filters in
            filters.indices.map { "block\(block + 1)_conv\($0 + 1)" }
        }
    }
}

/// Which convolutions learn.
package enum Trainable: Sendable, Equatable, Codable {
    /// The whole CNN is frozen.
    case none
    case all
    /// The convolution of this name and all after it.
    case from(String)
}

/// How a frame's last feature maps become its vector.
package enum CNNPooling: String, Sendable, Equatable, Codable, CaseIterable {
    case average
    case max
    case flatten
}
