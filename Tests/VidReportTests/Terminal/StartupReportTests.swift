import Testing
import VidConfig
import VidModel
import VidReport

@Suite struct StartupReportTests {
    private func classifier() throws -> Classifier {
        var model = ModelConfiguration()
        (model.input.frames, model.input.rows, model.input.columns) = (4, 16, 16)
        model.cnn?.architecture = .blocks([[4]])
        model.cnn?.weights = nil
        return try Classifier(model, classes: ["run", "walk"])
    }

    private func report(_ classifier: Classifier, repeated: Double? = nil) -> StartupReport {
        StartupReport(
            classifier: classifier, dataPath: "data", splits: [("training", 1200), ("validation", 300), ("test", 0)],
            training: TrainingSummary(RunConfiguration(), clips: 1200, hasFrozenLayers: true, hasValidation: true), threads: 2,
            memory: MemoryEstimate(parameters: 1 << 20, optimizer: 2 << 20, step: 3 << 20, data: 4 << 20, program: 0, repeated: repeated))
    }

    @Test func itShowsLayersDataAndMemory() throws {
        let classifier = try classifier()
        let lines = report(classifier).text().split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        let layers = lines.prefix { !$0.isEmpty }
        #expect(layers.count == 1 + classifier.layers.count)
        let titles = layers.first?.split(separator: " ").map(String.init)
        #expect(titles == ["layer", "type", "output", "parameters"])
        // Every number ends in the column of its title.
        let end = try #require(layers.first).columns
        for (layer, line) in zip(classifier.layers, layers.dropFirst()) where layer.parameters > 0 {
            #expect(line.prefix(end).hasSuffix(Formatting.grouped(layer.parameters)), "\(line)")
            #expect(line.hasSuffix("frozen") == !layer.isTrainable)
        }
        func value(_ label: String) -> String? {
            lines.first { $0.hasPrefix("  " + label + " ") }.map { String($0.dropFirst(2 + label.count).drop { $0 == " " }) }
        }
        let counts = classifier.parameters.counts
        #expect(value("parameters") == "\(Formatting.grouped(counts.total)) (\(Formatting.grouped(counts.trainable)) trainable)")
        #expect(value("clips") == "1,200 training + 300 validation from data in 2 classes: run, walk")
        #expect(value("input") == "4 frames of 16 x 16 x 3")
        #expect(value("machine")?.hasPrefix("2 threads, OpenBLAS kernel ") == true)
        #expect(value("memory") == "at most 10.0 MiB: parameters 1.0 MiB, optimizer 2.0 MiB, one step 3.0 MiB, data 4.0 MiB, program 0 B")
        #expect(report(classifier, repeated: 0.25).text().contains("program 0 B; 25 % of the activations are computed twice\n"))
        #expect(!report(classifier, repeated: 0).text().contains("computed twice"))
        #expect(report(classifier).text(showsLayers: false).hasPrefix(StartupReport.blockTable(classifier.layers) + "\n  parameters "))
    }

    /// As wide as the terminal allows: without types, then without shapes, then with shortened names; always a line for each layer.
    @Test func narrowTerminalsShowLess() throws {
        let classifier = try classifier()
        let wide = StartupReport.layerTable(classifier.layers)
        let width = wide.split(separator: "\n").map { String($0).columns }.max() ?? 0
        #expect(StartupReport.layerTable(classifier.layers, columns: width) == wide)
        for columns in 36..<width {
            let lines = StartupReport.layerTable(classifier.layers, columns: columns).split(separator: "\n").map(String.init)
            #expect(lines.count == 1 + classifier.layers.count && lines[0].hasPrefix("  layer"))
            #expect(lines.allSatisfy { $0.columns <= columns }, "\(lines)")
        }
        #expect(!StartupReport.layerTable(classifier.layers, columns: 50).contains("type"))
    }

    @Test(arguments: [50, 80]) func aLineForEachBlock(columns: Int) throws {
        var model = ModelConfiguration()
        model.cnn?.weights = nil
        model.cnn?.trainable = .from("block5_conv2")
        let layers = try Classifier.layers(of: model, classes: 8)
        let lines = StartupReport.blockTable(layers, columns: columns - 1).split(separator: "\n").map(String.init)
        #expect(lines.allSatisfy { $0.columns < columns }, "\(lines)")
        let cells = lines.map { $0.split(separator: " ").map(String.init) }
        #expect(cells.map(\.first) == ["layer", "block1", "block2", "block3", "block4", "block5", "recurrent_0", "hidden_0", "output"])
        #expect(lines[1].hasSuffix("38,720  frozen") && lines[5].hasSuffix("7,079,424  partly frozen") && lines[8].hasSuffix(" 8,200"))
        #expect(lines[1].contains("2 Conv2D") == (columns == 80))
        let total = layers.reduce(0) { $0 + $1.parameters }
        let shown = cells.dropFirst().flatMap { $0 }.filter { !$0.hasSuffix(",") }.compactMap { Int($0.replacing(",", with: "")) }
        #expect(shown.filter { $0 > 100 }.reduce(0, +) == total)
    }
}

@Suite struct TrainingSummaryTests {
    private func lines(_ change: (inout RunConfiguration) -> Void, frozen: Bool = true, validation: Bool = true) -> [String] {
        var configuration = RunConfiguration()
        change(&configuration)
        return TrainingSummary(configuration, clips: 100, hasFrozenLayers: frozen, hasValidation: validation).lines.map {
            "\($0.label): \($0.text)"
        }
    }

    @Test func defaultsNeedOneLine() {
        #expect(lines { _ in }.first == "optimizer: nadam, learning rate 0.002")
    }

    @Test func optimizerAndItsSchedule() {
        let lines = lines {
            $0.optimizer.clipNorm = 1
            $0.optimizer.weightDecay = 0.01
            $0.optimizer.gradientAccumulationSteps = 4
            $0.training.schedule.type = .cosine
            $0.training.schedule.warmupEpochs = 2
            $0.training.reduceOnPlateau.patience = 3
        }
        #expect(
            lines[0].hasPrefix(
                "optimizer: nadam, learning rate 0.002, clip norm 1.0, weight decay 0.01, 4 batches per step, cosine schedule, warm-up over 2.0 epochs, multiplied by "
            ))
        #expect(lines[0].contains(" after 3 epochs without a better val_loss"))
    }

    @Test func withoutValidationTheTrainingMetricIsWatched() {
        let lines = lines({ $0.training.earlyStopping.patience = 1 }, validation: false)
        #expect(lines.contains("stops: after 1 epoch without a better categorical_accuracy"), "\(lines)")
    }

    @Test func randomSamplesCostEncodings() {
        let changed = lines { $0.data.sampling.type = .consecutive }
        #expect(changed.contains("sampling: consecutive frames, from a random start in training"))
        #expect(changed.contains { $0.hasPrefix(": samples change every epoch, so the frozen layers encode 100 clips per epoch") })
        let copies = lines {
            $0.data.sampling.type = .fps
            $0.augmentation.copies = 3
        }
        #expect(copies.contains(": 3 copies of each clip: the frozen layers encode 300 samples once and cache them"), "\(copies)")
        #expect(!lines({ $0.data.sampling.type = .random }, frozen: false).contains { $0.hasPrefix(":") })
    }
}
