/// The 3x3 same-padded convolutions of VGG16 at 224x224.
package struct ConvolutionShape: Sendable, CustomStringConvertible {
    package let name: String
    package let rows: Int
    package let columns: Int
    package let channels: Int
    package let filters: Int

    package init(_ name: String, _ rows: Int, _ columns: Int, _ channels: Int, _ filters: Int) {
        self.name = name
        self.rows = rows
        self.columns = columns
        self.channels = channels
        self.filters = filters
    }

    package var description: String { "\(name) \(rows)x\(columns)x\(channels) -> \(filters)" }

    /// Each different layer shape of VGG16 once.
    package static let vgg16: [ConvolutionShape] = [
        .init("block1_conv1", 224, 224, 3, 64), .init("block1_conv2", 224, 224, 64, 64),
        .init("block2_conv1", 112, 112, 64, 128), .init("block2_conv2", 112, 112, 128, 128),
        .init("block3_conv1", 56, 56, 128, 256), .init("block3_conv2", 56, 56, 256, 256),
        .init("block4_conv1", 28, 28, 256, 512), .init("block4_conv2", 28, 28, 512, 512),
        .init("block5_conv1", 14, 14, 512, 512),
    ]

    /// Small and awkward shapes: maps of one pixel or one row, channel counts that are no multiple of 16.
    package static let odd: [ConvolutionShape] = [
        .init("one", 1, 1, 1, 1), .init("pixel", 1, 1, 5, 7), .init("row", 1, 9, 3, 17), .init("column", 7, 1, 16, 3),
        .init("3x5", 3, 5, 13, 19), .init("4x4", 4, 4, 16, 16), .init("5x6", 5, 6, 33, 31), .init("17x18", 17, 18, 3, 65),
    ]
}
