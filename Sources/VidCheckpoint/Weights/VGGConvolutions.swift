import VidConfig
import VidSystem
import VidTensor

/// One convolution of a VGG as a weights file describes it.
struct ConvolutionSource: Sendable {
    /// Counted from 1, as in Keras's `block3_conv2`.
    let block: Int
    let number: Int
    /// (rows, columns, channels, filters).
    let kernel: [Int]
    /// (filters).
    let bias: [Int]

    var name: String { "block\(block)_conv\(number)" }

    /// The block and number in a name such as `block3_conv2`; nil for any other name.
    static func place(_ name: some StringProtocol) -> (block: Int, number: Int)? {
        let parts = name.split(separator: "_", omittingEmptySubsequences: false)
        guard parts.count == 2, parts[0].hasPrefix("block"), parts[1].hasPrefix("conv"),
            let block = number(parts[0].dropFirst(5)), let number = number(parts[1].dropFirst(4))
        else { return nil }
        return (block, number)
    }

    private static func number(_ digits: some StringProtocol) -> Int? {
        guard digits.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }), digits.first != "0" else { return nil }
        return Int(digits)
    }
}

extension Architecture {
    /// The architecture whose convolutions are `sources`, which must be in order: all 3x3, block by block, each taking the
    /// channels that the one before it outputs.
    init(_ sources: [ConvolutionSource], of path: String) throws {
        var blocks: [[Int]] = []
        var channels: Int?
        for source in sources {
            if source.block == blocks.count + 1, source.number == 1 { blocks.append([]) }
            guard source.block == blocks.count, source.number == blocks[blocks.count - 1].count + 1 else {
                throw VidclassError.file(path, "it has \(source.name), but not all convolutions before it")
            }
            guard source.kernel.count == 4, source.kernel[0] == 3, source.kernel[1] == 3, source.kernel.allSatisfy({ $0 > 0 }) else {
                let isTheanos = source.kernel.count == 4 && source.kernel[2...].elementsEqual([3, 3])
                let hint = isTheanos ? "; this is Theano's order; use the file with tf_dim_ordering in its name" : ""
                throw VidclassError.file(
                    path, "\(source.name)/kernel is \(SafetensorsEntry.text(source.kernel)), expected (3, 3, channels, filters)\(hint)")
            }
            guard channels == nil || source.kernel[2] == channels else {
                throw VidclassError.file(
                    path, "\(source.name)/kernel takes \(source.kernel[2]) channels, but the convolution before it outputs \(channels ?? 0)"
                )
            }
            guard source.bias == [source.kernel[3]] else {
                throw VidclassError.file(
                    path,
                    "\(source.name)/bias is \(SafetensorsEntry.text(source.bias)), expected \(SafetensorsEntry.text([source.kernel[3]]))")
            }
            guard source.kernel[2] <= Architecture.maximumFilters, source.kernel[3] <= Architecture.maximumFilters else {
                throw VidclassError.file(
                    path,
                    "\(source.name)/kernel is \(SafetensorsEntry.text(source.kernel)); "
                        + "at most \(Architecture.maximumFilters) filters are read"
                )
            }
            channels = source.kernel[3]
            blocks[blocks.count - 1].append(source.kernel[3])
        }
        let values = sources.reduce(0.0) { $0 + 9 * Double($1.kernel[2]) * Double($1.kernel[3]) }
        guard values <= Architecture.mostValues else {
            throw VidclassError.file(
                path, "its \(sources.count) convolutions have \(Int(values)) weights; at most \(Int(Architecture.mostValues)) are read")
        }
        guard !sources.isEmpty else { throw VidclassError.file(path, "it has no VGG convolutions (block1_conv1, ...)") }
        self = NamedArchitecture.allCases.map(Architecture.named).first { $0.blocks == blocks } ?? .blocks(blocks)
    }

    /// A bound on what a weights file may ask for: 144 MiB per kernel.
    private static let maximumFilters = 2048
    /// A bound on all kernels together: 512 MiB, where VGG19 has 76.
    private static let mostValues = 0x1p27
}
