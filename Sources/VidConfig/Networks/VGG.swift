/// The convolutional network of Simonyan and Zisserman ("Very deep convolutional networks for large-scale image recognition",
/// 2014, table 1) without its classifier: blocks of 3x3 convolutions with ReLU, each block followed by a 2x2 max pooling.
enum VGG {
    /// The filters of each convolution, block by block: columns A, B, D and E of the table.
    static let a = [[64], [128], [256, 256], [512, 512], [512, 512]]
    static let b = [[64, 64], [128, 128], [256, 256], [512, 512], [512, 512]]
    static let d = [[64, 64], [128, 128], [256, 256, 256], [512, 512, 512], [512, 512, 512]]
    static let e = [[64, 64], [128, 128], [256, 256, 256, 256], [512, 512, 512, 512], [512, 512, 512, 512]]

    /// The layers, with Keras's names `block1_conv1`, ... `block5_pool`. With `isNormalized` a batch normalisation follows each
    /// convolution, before the ReLU, as in torchvision's `vgg16_bn`.
    static func layers(_ blocks: [[Int]], isNormalized: Bool = false) -> [CNNLayer] {
        blocks.enumerated().flatMap { block, filters in
            filters.enumerated().flatMap { place, count -> [CNNLayer] in
                let name = "block\(block + 1)_conv\(place + 1)"
                guard isNormalized else { return [.convolution(.init(name, filters: count, activation: .relu))] }
                return [
                    .convolution(.init(name, filters: count)),
                    .batchNormalization(.init("\(name)_bn", momentum: 0.9, epsilon: 1e-5, activation: .relu)),
                ]
            } + [.maxPooling(.init("block\(block + 1)_pool"))]
        }
    }
}
