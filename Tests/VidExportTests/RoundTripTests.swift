import SwiftProtobuf
import Testing
import VidCheckpoint
import VidConfig
import VidExport
import VidModel
import VidSystem
import VidTensor
import VidTestSupport

/// What is exported can be imported again.
@Suite struct RoundTripTests {
    private let box: TestFolder

    init() throws { box = try TestFolder() }

    private static func model(_ architecture: String) -> String {
        """
        {"input": {"frames": 2, "channels": 3, "rows": 32, "columns": 32},
         "cnn": {"architecture": \(architecture), "weights": null, "trainable": true},
         "recurrent": [{"type": "lstm", "units": 2}], "hidden": []}
        """
    }

    @Test(arguments: [#""mobilenet_v3_small""#, #"{"blocks": [[4, 3], [5]]}"#], [ModelExport.Format.onnx, .keras])
    func weightsComeBack(_ architecture: String, _ format: ModelExport.Format) async throws {
        let network = try TestNetwork(Self.model(architecture), data: #"{"preprocessing": "caffe"}"#)
        for part in [ExportedPart.whole, .encoder] {
            let path = box("model")
            _ = try ModelExport(network.exported, format, part, version: "1").write(to: path, checkpoint: box("best"))
            let weights = try await ImportedWeights.read(path, hdf5: .inThisProcess)
            #expect(weights.architecture == network.exported.configuration.model.cnn?.architecture && weights.preprocessing == .caffe)
            let own = network.classifier.parameters.slices.filter { $0.name.hasPrefix("cnn/") }
            #expect(weights.tensors.map { "cnn/" + $0.name }.sorted() == own.map(\.name).sorted())
            for tensor in weights.tensors { #expect(tensor.tensor.array == (try network.values("cnn/" + tensor.name)), "\(tensor.name)") }
        }
    }

    @Test func whatHasNoNetworkIsRefused() async throws {
        func message(_ model: String, _ part: ExportedPart) async throws -> String? {
            let network = try TestNetwork(model)
            _ = try ModelExport(network.exported, .onnx, part, version: "1").write(to: box("model"), checkpoint: box("best"))
            do { _ = try await ImportedWeights.read(box("model"), hdf5: .inThisProcess) } catch {
                return (error as? VidclassError)?.message
            }
            return nil
        }
        #expect(try await message(TestNetwork.model(), .whole)?.contains("layers of its own") == true)
        #expect(try await message(Self.model(#"{"blocks": [[4]]}"#), .head)?.contains("is missing") == true)
        try box.write("model", Array(try box.bytes("model").prefix(100)))
        let error = await #expect(throws: VidclassError.self) { try await ImportedWeights.read(box("model"), hdf5: .inThisProcess) }
        #expect(error?.kind == .badData && error?.message.contains("damaged") == true)
    }

    /// No memory is taken for what a file only names.
    @Test func aSmallFileOfALargeNetworkIsRefused() async throws {
        var model = ONNXModelProto()
        (model.irVersion, model.producerName) = (8, "somebody")
        var entry = ONNXStringStringEntryProto()
        (entry.key, entry.value) = ("config", #"{"model": {"cnn": {"architecture": {"blocks": [[65536, 65536, 65536]]}}}}"#)
        model.metadataProps = [entry]
        try box.write("model", try model.serializedBytes())
        let error = await #expect(throws: VidclassError.self) { try await ImportedWeights.read(box("model"), hdf5: .inThisProcess) }
        #expect(
            error?.kind == .badData && error?.message.contains("cnn/block1_conv1/kernel\" is missing") == true, "\(error?.message ?? "")")
    }
}
