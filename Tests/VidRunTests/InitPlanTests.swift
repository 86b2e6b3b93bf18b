import Foundation
import Testing
import VidCheckpoint
import VidConfig
import VidData
import VidRun
import VidSystem
import VidTensor
import VidTestSupport

/// The choice between VGG16 and a small network, by the time that VGG16 would take.
@Suite struct InitPlanTests {
    private let box: TestFolder
    private let library: WeightsLibrary

    init() throws {
        box = try TestFolder()
        library = WeightsLibrary(environment: ["HOME": box.path], hdf5: .inReader())
        let shape = ClipShape(frames: 2, channels: 3, rows: 64, columns: 64)
        for label in ["a", "b"] {
            for number in 0..<5 {
                let bytes = [UInt8](repeating: UInt8(number + (label == "a" ? 0 : 100)), count: shape.count)
                try box.makeFolder("data/\(label)")
                try ClipFile.write(Clip(shape: shape, pixels: .bytes(bytes), framesPerSecond: 1), to: box("data/\(label)/\(number).bin"))
            }
        }
    }

    private func write(_ network: NamedArchitecture, _ preprocessing: PreprocessingName) throws {
        let weights = try ImportedWeights(
            source: "test", sha256: String(repeating: "0", count: 64), preprocessing: preprocessing, architecture: .named(network)
        ) { _, tensor in tensor.base.update(repeating: 0, count: tensor.count) }
        try Folder.make(library.weightsFolder)
        try WeightsFile.write(weights, to: "\(library.weightsFolder)/\(network.rawValue)-imagenet.safetensors")
    }

    /// The plan for ten clips of two frames, where VGG16 takes `seconds` for a frame, and the others a hundredth of it.
    private func plan(seconds: Double) async throws -> (cnn: ConfigurationChoice, text: String, plan: InitPlan) {
        let runtime = Runtime(version: "1", command: ["test"], weights: library, workers: Workers(count: 1), cache: nil) { _ in }
        var configuration = RunConfiguration()
        configuration.model.input = InitPlan.anyInput
        let loader = ClipLoader(configuration)
        let report = try await runtime.check(
            DataSet.open(box("data"), split: .none), loader: loader, mustFit: false, leakCheck: false)
        let plan = try await InitPlan(
            report, checkedWith: loader, speed: EncodingSpeed { $0.network == .vgg16 ? seconds : seconds / 100 }, in: runtime)
        return (try #require(plan.choices.first { $0.key == "model.cnn" }), plan.text, plan)
    }

    @Test func theTimeChooses() async throws {
        // Nothing is there: VGG16, with what both would take.
        let none = try await plan(seconds: 1)
        #expect(none.cnn.value == "vgg16, imagenet, frozen")
        #expect(
            none.cnn.because
                == "already trained on ImageNet; its weights are not on this machine yet; as measured, all clips take some 20 s through it at "
                + "64 x 64, and 0.2 s through efficientnet_lite0")
        // VGG16 would take 2 h, and there is no other.
        let slow = try await plan(seconds: 360)
        #expect(
            slow.cnn.value == "vgg16, imagenet, frozen" && slow.cnn.because.contains("take some 2 h through it at 64 x 64, and 1 min 12 s"))
        #expect(slow.cnn.because.contains("weights fetch efficientnet_lite0` tells how to get its weights"), "\(slow.cnn.because)")

        try write(.mobilenetV2, .torch)
        for seconds in [360.0, 1] {
            // VGG16 is slow, or has no weights.
            let light = try await plan(seconds: seconds)
            #expect(light.cnn.value == "mobilenet_v2, imagenet, frozen", "\(light.cnn)")
            #expect(
                light.cnn.because.contains(
                    "its weights are in \(box.path)/.cache/vidclass/weights/mobilenet_v2-imagenet.safetensors; as measured")
                    && light.cnn.because.contains(seconds == 1 ? "and 20 s through vgg16" : "and 2 h through vgg16"), "\(light.cnn)")
            let configuration = try RunConfiguration(json: light.text, source: "it")
            #expect(
                configuration.model.cnn?.architecture == .named(.mobilenetV2) && configuration.model.cnn?.trainable == .some(.none))
            #expect(configuration.data.preprocessing == .torch)
            #expect(light.plan.steps(after: "x.json").count == 1)
        }
        try write(.vgg16, .caffe)
        #expect(try await plan(seconds: 360).cnn.value == "mobilenet_v2, imagenet, frozen")
        // EfficientNet-Lite0 is preferred among small ones.
        try write(.efficientnetLite0, .symmetric)
        #expect(try await plan(seconds: 360).cnn.value == "efficientnet_lite0, imagenet, frozen")
        let quick = try await plan(seconds: 1)
        #expect(
            quick.cnn.value == "vgg16, imagenet, frozen" && quick.cnn.because.contains("0.2 s through efficientnet_lite0"), "\(quick.cnn)")
        #expect(try RunConfiguration(json: quick.text, source: "it").data.preprocessing == .caffe)
    }

    /// A damaged file of a small network is none; one of VGG16's is to be removed.
    @Test func damagedWeights() async throws {
        try Folder.make(library.weightsFolder)
        try Data("no weights".utf8).write(to: URL(fileURLWithPath: "\(library.weightsFolder)/vgg16-imagenet.safetensors"))
        try Data("no weights".utf8).write(to: URL(fileURLWithPath: "\(library.weightsFolder)/efficientnet_lite0-imagenet.safetensors"))
        let damaged = try await plan(seconds: 360)
        #expect(damaged.cnn.value == "vgg16, imagenet, frozen" && damaged.cnn.because.contains("the file of its weights cannot be used"))
        let steps = damaged.plan.steps(after: "x.json").map(\.sentence)
        #expect(steps.count == 3 && steps[0].hasPrefix("Remove this damaged file of weights: "), "\(steps)")
    }

    @Test func aMeasurement() throws {
        let speed = EncodingSpeed(workers: Workers(count: 2))
        let seconds = try #require(speed.secondsPerFrame(.efficientnetLite0, rows: 64, columns: 64))
        #expect(seconds > 0 && speed.secondsPerFrame(.efficientnetLite0, rows: 64, columns: 64) == seconds)
        #expect(speed.secondsPerFrame(.vgg16, rows: 8, columns: 8) == nil)
    }
}
