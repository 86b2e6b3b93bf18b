import Foundation
import Testing
import VidCheckpoint
import VidConfig
import VidModel
import VidTensor
import VidTestSupport

/// VGG16 with the ImageNet weights at 224x224 against PyTorch in double precision (and Keras, which maintain.vgg16
/// compares with PyTorch): the features of synthetic frames, from their bytes on.
///
/// It runs where Keras's weights file is, and compares with the committed features or with those that the environment
/// variable VIDCLASS_REFERENCE_FEATURES names.
@Suite struct VGG16FeaturesGoldenTests {
    private static let fileName = "vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5"

    /// The official file: where VIDCLASS_VGG16_WEIGHTS says, in vidclass's cache, among Keras's models, or beside the project.
    static let weights: String? = {
        let library = WeightsLibrary(hdf5: .inThisProcess)
        let beside = URL(filePath: #filePath).appending(path: "../../../../../shared/weights").standardizedFileURL.path
        let places = [library.weightsFolder, library.kerasFolder, beside].map { "\($0)/\(fileName)" }
        let named = ProcessInfo.processInfo.environment["VIDCLASS_VGG16_WEIGHTS"]
        return ([named].compactMap(\.self) + places).first { FileManager.default.fileExists(atPath: $0) }
    }()

    @Test(.enabled(if: weights != nil, "needs \(fileName) in vidclass's cache, in ~/.keras/models or in ../shared/weights"))
    func features() throws {
        let golden =
            try ProcessInfo.processInfo.environment["VIDCLASS_REFERENCE_FEATURES"].map { try Golden(path: $0) }
            ?? Golden.named("vgg16_features")
        let expected = try golden.tensor("features")
        var layout = ParameterLayout()
        let encoder = try FrameEncoder(CNNConfiguration(), input: InputConfiguration(), layout: &layout)
        let context = Context(parameters: try ParameterStore(layout), workers: Workers(), random: RandomGenerator(seed: 1))
        _ = try KerasWeights.read(try #require(Self.weights)).load(into: context.parameters, preprocessing: .caffe)

        let count = expected.shape[0]
        let bytes = Self.bytes(frames: count)
        #expect(Self.firstPixels(bytes, frames: count) == (try golden.values("first_pixels")), "other frames than the script's")
        let frames = context.workspace.take(encoder.inputShape.prepending(count))
        PixelConversion.convert(bytes: bytes, rule: Preprocessing(.caffe, channels: 3), into: frames, workers: context.workers)
        let features = context.workspace.take(expected.shape)
        features.fill(.nan)
        encoder.encode(frames: frames, into: features, context)
        let error = relativeError(features.array, expected.array)
        print("VGG16 features of \(count) frames: largest error \(error) of the largest feature")
        #expect(error <= 1e-4)
    }

    /// RGB frames (N, 3, 224, 224) by the formula of `test_frames` in maintain.vgg16.
    private static func bytes(frames: Int) -> [UInt8] {
        func wave(_ k: Int) -> Int { abs(k % 256 - 128) * 2 - 1 + (k % 256 == 128 ? 1 : 0) }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(frames * 3 * 224 * 224)
        for n in 0..<frames {
            for c in 0..<3 {
                for y in 0..<224 {
                    for x in 0..<224 {
                        let noise = (x * 7919 + y * 104_729 + c * 1_299_709 + n * 15_485_863) / 8 % 64
                        let waves = wave(3 * x + 2 * (n + 1) * y + 40 * c) + wave(x * y / (16 + 8 * n) + 90 * c)
                        bytes.append(UInt8(min(max(waves * 3 / 8 + noise, 0), 255)))
                    }
                }
            }
        }
        return bytes
    }

    /// The first 8 pixels of each frame, (N, 8, 3).
    private static func firstPixels(_ bytes: [UInt8], frames: Int) -> [Float] {
        let plane = 224 * 224
        return (0..<frames).flatMap { n in (0..<8).flatMap { x in (0..<3).map { c in Float(bytes[(n * 3 + c) * plane + x]) } } }
    }
}
