import Testing
import VidConfig
import VidModel
import VidSystem
import VidTensor

@Suite struct VGGTests {
    private func encoder(
        _ architecture: Architecture, rows: Int = 224, columns: Int = 224, trainable: Trainable = .none, pooling: CNNPooling = .average
    ) throws -> (encoder: FrameEncoder, layout: ParameterLayout) {
        var layout = ParameterLayout()
        var configuration = CNNConfiguration()
        configuration.architecture = architecture
        configuration.trainable = trainable
        configuration.pooling = pooling
        var input = InputConfiguration()
        input.rows = rows
        input.columns = columns
        return (try FrameEncoder(configuration, input: input, layout: &layout), layout)
    }

    /// The parameter counts that Keras and torchvision give for the networks without their classifier.
    @Test(arguments: [
        (Architecture.vgg11, 9_220_480, 8), (.vgg13, 9_404_992, 10), (.vgg16, 14_714_688, 13), (.vgg19, 20_024_384, 16),
    ])
    func sizesArePublished(_ architecture: Architecture, _ parameters: Int, _ convolutions: Int) throws {
        let (encoder, layout) = try encoder(architecture)
        #expect(try ParameterStore(layout).counts.total == parameters)
        #expect(encoder.summaries.reduce(0) { $0 + $1.parameters } == parameters)
        #expect(encoder.layers.filter { $0.type == "Conv2D" }.count == convolutions)
        #expect(encoder.outputShape == [512])
    }

    @Test func layersHaveKerasNamesAndShapes() throws {
        let (encoder, layout) = try encoder(.vgg16, trainable: .from("block5_conv1"))
        let summaries = encoder.summaries
        #expect(
            summaries.map(\.name) == [
                "block1_conv1", "block1_conv2", "block1_pool", "block2_conv1", "block2_conv2", "block2_pool", "block3_conv1",
                "block3_conv2", "block3_conv3", "block3_pool", "block4_conv1", "block4_conv2", "block4_conv3", "block4_pool",
                "block5_conv1", "block5_conv2", "block5_conv3", "block5_pool", "global_average_pooling2d",
            ])
        #expect(
            summaries[0]
                == LayerSummary(name: "block1_conv1", type: "Conv2D", outputShape: [224, 224, 64], parameters: 1792, isTrainable: false))
        #expect(summaries[17].outputShape == [7, 7, 512])
        #expect(summaries.filter(\.isTrainable).map(\.name) == ["block5_conv1", "block5_conv2", "block5_conv3"])
        #expect(encoder.firstTrainable == 14)
        let store = try ParameterStore(layout)
        #expect(store.slice(named: "cnn/block1_conv1/kernel")?.shape == [3, 3, 3, 64])
        #expect(store.slice(named: "cnn/block5_conv3/bias")?.isTrainable == true)
        #expect(store.slice(named: "cnn/block4_conv3/bias")?.isTrainable == false)
    }

    @Test func poolingDecidesTheFeatures() throws {
        let blocks = Architecture.blocks([[3], [5, 7]])
        #expect(try encoder(blocks, rows: 12, columns: 9, pooling: .average).encoder.outputShape == [7])
        #expect(try encoder(blocks, rows: 12, columns: 9, pooling: .max).encoder.outputShape == [7])
        #expect(try encoder(blocks, rows: 12, columns: 9, pooling: .flatten).encoder.outputShape == [3 * 2 * 7])
    }

    @Test func splitCutsBeforeTheFirstTrainedLayer() throws {
        let (all, _) = try encoder(.vgg11, trainable: .all)
        #expect(all.split().frozen == nil)
        let (none, _) = try encoder(.vgg11)
        #expect(none.split().trained == nil && none.split().frozen?.layers.count == none.layers.count)
        let (some, _) = try encoder(.vgg11, trainable: .from("block5_conv1"))
        let parts = some.split()
        #expect(parts.frozen?.layers.last?.name == "block4_pool")
        #expect(parts.frozen?.outputShape == [14, 14, 512])
        #expect(parts.trained?.inputShape == [14, 14, 512])
        #expect(parts.trained?.outputShape == [512])
    }

    @Test func anUnknownLayerIsNamedWithTheValidOnes() throws {
        let error = #expect(throws: VidclassError.self) { try encoder(.blocks([[4], [8]]), trainable: .from("block3_conv1")) }
        #expect(error?.kind == .badData)
        #expect(error?.message.contains("\"block3_conv1\"; expected one of block1_conv1, block2_conv1") == true)
    }

    @Test func framesTooSmallForThePoolingsAreRefused() throws {
        let error = #expect(throws: VidclassError.self) { try encoder(.vgg16, rows: 16, columns: 16) }
        #expect(error?.kind == .badData)
        #expect(error?.message.contains("16x16") == true && error?.message.contains("at least 32x32") == true)
        #expect(throws: VidclassError.self) { try encoder(.vgg16, rows: 224, columns: 31) }
        #expect(try encoder(.vgg16, rows: 32, columns: 33).encoder.outputShape == [512])
    }

    @Test(arguments: [[[Int]](), [[4], []], [[4, 0]], [[-1]]])
    func emptyBlocksAreRefused(_ blocks: [[Int]]) {
        let error = #expect(throws: VidclassError.self) { try encoder(.blocks(blocks)) }
        #expect(error?.kind == .badData)
    }
}
