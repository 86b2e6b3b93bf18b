import Testing
import VidConfig
import VidModel
import VidSystem
import VidTensor

/// A small config can describe a model that no memory holds. It is refused before anything is allocated.
@Suite struct HugeModelTests {
    private func model(_ change: (inout ModelConfiguration) -> Void) -> ModelConfiguration {
        var model = ModelConfiguration()
        (model.input.frames, model.input.rows, model.input.columns) = (4, 16, 16)
        model.cnn?.architecture = .blocks([[4]])
        model.cnn?.weights = nil
        change(&model)
        return model
    }

    /// 16 GiB of parameters, on most machines neither too much nor a good idea.
    private var large: ModelConfiguration {
        model { $0.hidden = [.dense(DenseOptions(units: 65536)), .dense(DenseOptions(units: 65536))] }
    }

    private struct Refused: Error {}

    @Test func theCheckComesBeforeTheMemory() throws {
        let resident = Machine.residentBytes
        #expect(throws: Refused.self) {
            _ = try Classifier(large, classes: ["a", "b"]) { layout in
                #expect(layout.bytes > 0x1p34 && layout.tensors.contains { $0.name == "hidden_1/kernel" && $0.shape == [65536, 65536] })
                throw Refused()
            }
        }
        #expect(try Classifier.layers(of: large, classes: 2).map(\.parameters).max() == 65536 * 65537)
        #expect(Machine.residentBytes < resident + 256 << 20)
    }

    @Test func gradientsAndMomentsCount() {
        // With a billion moments even a small model is too large.
        let error = #expect(throws: VidclassError.self) {
            _ = try Classifier(model { _ in }, classes: ["a", "b"], trainedCopies: 1 << 40)
        }
        #expect(error?.kind == .badData)
        #expect(error?.message.contains("with their gradients and moments, more memory than is available here") == true)
    }

    /// Extents whose products and sums do not fit 64 bits.
    @Test(arguments: 1...12) func noSumOverflows(layers: Int) {
        let huge = model {
            ($0.input.frames, $0.input.rows, $0.input.columns, $0.input.channels) = (65536, 16384, 16384, 64)
            $0.cnn?.architecture = .blocks([[65536]])
            $0.cnn?.pooling = .flatten
            $0.recurrent = Array(repeating: .batchNormalization(BatchNormalizationOptions()), count: layers)
        }
        let error = #expect(throws: VidclassError.self) { _ = try Classifier(huge, classes: ["a", "b"]) }
        #expect(error?.kind == .badData)
        #expect(error?.message.contains("the features of one clip take") == true)
        #expect(throws: VidclassError.self) { _ = try Classifier.layers(of: huge, classes: 2) }
    }

    @Test(arguments: OptimizerType.allCases, [Float(0), 0.5]) func slotsAreAsManyAsIsSaid(type: OptimizerType, momentum: Float) throws {
        var configuration = OptimizerConfiguration()
        configuration.type = type
        configuration.momentum = Double(momentum)
        let classifier = try Classifier(model { _ in }, classes: ["a", "b"])
        #expect(try Optimizer(configuration, classifier.parameters).slots.count == configuration.slotCount)
    }
}
