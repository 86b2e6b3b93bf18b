import Testing
import VidConfig
import VidReport
import VidTrain

/// Each rule gives its advice where it applies, and nothing where it does not.
@Suite struct AdviceTests {
    /// A report without any advice: 400 clips, all right, with high scores.
    private func report(
        _ confusion: [[Int]] = SampleReports.diagonal(2, 200), score: Float = 0.99, split: EvaluatedSplit = .test, train: [Int] = [50, 50],
        pairs: Int = 0, epochs: [EpochRecord] = [], best: Int? = nil, folder: String = "runs/train", stopReason: String = "epochs"
    ) throws -> RunReport {
        let classes = confusion.indices.map { ["up", "down", "left"][$0] }
        var report = try SampleReports.report(SampleReports.evaluation(classes, confusion: confusion, score: score), split: split)
        var record = RunRecord(version: "0", command: [], started: "")
        (record.bestEpoch, record.stopReason) = (best, stopReason)
        report.story = RunStory(folder: folder, epochs: epochs, record: record, plannedEpochs: epochs.count)
        report.data = try SampleReports.data(classes, train: train, pairs: pairs)
        return report
    }

    private func epoch(_ number: Int, train: Double = 1, accuracy: Double = 1, loss: Double, valAccuracy: Double = 1) -> EpochRecord {
        EpochRecord(
            epoch: number, seconds: 1, trainLoss: train, trainAccuracy: accuracy,
            validation: .init([.validationLoss: loss, .validationAccuracy: valAccuracy]),
            learningRate: 0.1)
    }

    private func only(_ report: RunReport) throws -> String {
        let items = Advice.items(report)
        #expect(items.count == 1, "\(items)")
        return items.first ?? ""
    }

    @Test func aGoodModelNeedsNone() throws {
        #expect(Advice.items(try report()).isEmpty)
        #expect(ReportPage(try report()).html.contains("The metrics call for no changes."))
    }

    @Test func holdClipsOut() throws {
        #expect(try only(report(split: .training)).contains("Hold clips out"))
        #expect(try only(report(split: .validation)).contains("Set test clips aside"))
        for split in [EvaluatedSplit.training, .all] {
            var heldOut = try report(split: split)
            heldOut.data = try SampleReports.data(["up", "down"], train: [50, 50], validation: [10, 10], pairs: 0)
            #expect(try only(heldOut).contains("Evaluate the held-out clips alone"))
        }
        // A single epoch, and a training that is monitored by its training loss, are not chosen with the validation clips.
        let epochs = [epoch(1, accuracy: 0.9, loss: 0.5)]
        #expect(Advice.items(try report(split: .validation, epochs: epochs, best: 1, stopReason: "target")).isEmpty)
        var byLoss = try report(split: .validation)
        byLoss.story?.record?.monitor = "loss"
        #expect(Advice.items(byLoss).isEmpty)
        var alone = try report(split: .validation)
        alone.story = nil
        #expect(Advice.items(alone).isEmpty)
    }

    @Test func duplicates() throws {
        #expect(try only(report(pairs: 1)).contains("1 pair of clips in different splits looks the same"))
        #expect(try only(report(pairs: 2)).contains("2 pairs of clips in different splits look the same"))
        var other = try report(pairs: 2)
        other.evaluatedData = other.data
        #expect(Advice.items(other).isEmpty)
    }

    @Test func fewClips() throws {
        // 15 of 20: Wilson 53.1 to 88.8 %; 1.96^2 * 0.75 * 0.25 / 0.05^2 = 288.1 clips.
        let advice = try only(report([[8, 2], [3, 7]], score: 0.75))
        #expect(
            advice.contains("only 20 clips") && advice.contains("from 53.1 to 88.8 %") && advice.contains("About 290 clips"), "\(advice)")
        // Training clips tell nothing about the true accuracy.
        #expect(try only(report([[8, 2], [3, 7]], score: 0.75, split: .training)).contains("Hold clips out"))
    }

    @Test func overfitting() throws {
        let epochs = [epoch(1, accuracy: 0.95, loss: 0.5, valAccuracy: 0.7), epoch(2, accuracy: 0.99, loss: 0.6, valAccuracy: 0.9)]
        #expect(
            try only(report(epochs: epochs, best: 1, stopReason: "early_stopping")).contains(
                "95 % of the training clips but only 70 % of the validation clips"))
        #expect(Advice.items(try report(epochs: epochs, best: 2, stopReason: "early_stopping")).isEmpty)
        // 3 of 4 right validation clips are compatible with 95 % (Wilson: 30.1 to 95.4 %), 70 of 100 are not (60.4 to 78.1 %).
        for (clips, isAdvised) in [(4, false), (100, true)] {
            var few = try report(epochs: epochs, best: 1, stopReason: "early_stopping")
            few.data = try SampleReports.data(["up", "down"], train: [50, 50], validation: [clips / 2, clips / 2], pairs: 0)
            #expect(Advice.items(few).isEmpty != isAdvised)
        }
    }

    @Test func trainingForLonger() throws {
        let falling = (1...4).map { epoch($0, loss: 1 / Double($0), valAccuracy: 0.95) }
        let advice = try only(report(epochs: falling, best: 4, folder: "runs/it's"))
        #expect(advice.contains("The best epoch was the last, and the validation loss was still falling"))
        #expect(advice.contains("vidclass train --resume &#39;runs/it&#39;\\&#39;&#39;s&#39; --set training.epochs=8"), "\(advice)")
        #expect(Advice.items(try report(epochs: falling, best: 3)).isEmpty)
        #expect(Advice.items(try report(epochs: falling, best: 4, stopReason: "target")).isEmpty)
        let flat = (1...4).map { epoch($0, loss: 1 - 0.001 * Double($0), valAccuracy: 0.95) }
        #expect(Advice.items(try report(epochs: flat, best: 4)).isEmpty)
        // Two epochs are compared with each other; one says nothing about the loss; more than all right is impossible.
        #expect(Advice.items(try report(epochs: Array(flat.prefix(2)), best: 2)).isEmpty)
        #expect(try only(report(epochs: Array(falling.prefix(2)), best: 2)).contains("was still falling"))
        let one = try only(report(epochs: Array(falling.prefix(1)), best: 1))
        #expect(one.hasPrefix("One epoch is rarely enough.") && !one.contains("falling"))
        let perfect = (1...4).map { epoch($0, loss: 1 / Double($0)) }
        #expect(Advice.items(try report(epochs: perfect, best: 4)).isEmpty)
        var staged = try report(epochs: falling, best: 4)
        staged.model = RunReport.Model(checkpoint: "", layers: [], parameters: (0, 0), input: "", training: [("stages", "1: 2 epochs")])
        #expect(try only(staged).hasSuffix("Train for longer: give the last stage more epochs."))
    }

    @Test func classesThatAreNeverPredicted() throws {
        let advice = Advice.items(try report([[150, 0, 0], [10, 0, 0], [0, 0, 150]], score: 0.97)).joined()
        #expect(advice.contains("The model classified no clip as “<bdi>down</bdi>”") && advice.contains("this class has"))
        // One answer for all: neither the classes that are missed nor the pairs that are confused tell more.
        let same = Advice.items(try report([[300, 0, 0], [10, 0, 0], [10, 0, 0]], score: 0.94))
        #expect(same.count == 1 && same[0].hasPrefix("The model classified all 320 clips as “<bdi>up</bdi>”"), "\(same)")
    }

    @Test func belowChance() throws {
        let advice = try only(report([[0, 60], [60, 0]]))
        #expect(advice.contains("less often than a random guess") && advice.contains("labels"))
        #expect(!Advice.items(try report([[20, 0], [100, 0]])).joined().contains("random guess"))
    }

    @Test func imbalance() throws {
        let confusion = [[380, 0], [10, 10]]
        let advice = try only(report(confusion, score: 0.97, train: [190, 10]))
        // Balanced accuracy (1 + 0.5) / 2, accuracy 390 of 400.
        #expect(advice.contains("from 10 to 190 training clips") && advice.contains("(balanced accuracy 75 %, accuracy 98 %)"))
        #expect(Advice.items(try report(confusion, score: 0.97, train: [50, 10])).isEmpty)
    }

    @Test func confusedPairs() throws {
        let advice = try only(report([[95, 3, 2], [1, 99, 0], [20, 0, 80]], score: 0.9))
        #expect(advice.contains("20 of the 26 errors are “<bdi>left</bdi>” clips that were classified as “<bdi>up</bdi>”"))
        #expect(Advice.items(try report([[97, 1, 1], [1, 98, 1], [1, 1, 98]], score: 0.97)).isEmpty)
        // Two pairs that are confused equally often.
        #expect(Advice.items(try report([[90, 10, 0], [10, 90, 0], [0, 0, 100]], score: 0.93)).isEmpty)
    }

    @Test func overconfidence() throws {
        let confusion = [[160, 40], [40, 160]]
        #expect(try only(report(confusion, score: 0.95)).contains("too high by 15 points"))
        #expect(Advice.items(try report(confusion, score: 0.81)).isEmpty)
        var byLoss = try report(confusion, score: 0.95)
        #expect(try only(byLoss).contains("choosing the best epoch by its loss"))
        byLoss.story?.record?.monitor = "val_loss"
        #expect(try !only(byLoss).contains("choosing the best epoch by its loss"))
    }

    @Test func notLearnt() throws {
        let chance = [[100, 100], [100, 100]]
        let epochs = [1, 2].map { epoch($0, accuracy: 0.55, loss: 0.7, valAccuracy: 0.5) }
        #expect(try only(report(chance, score: 0.51, epochs: epochs, best: 1)).contains("did not even learn the training clips"))
        let learnt = [1, 2].map { epoch($0, accuracy: 0.69, loss: 0.7, valAccuracy: 0.6) }
        #expect(Advice.items(try report(chance, score: 0.51, epochs: learnt, best: 1)).isEmpty)
        // The training split decides, and not the share of a class among the evaluated clips.
        let skewed = try report(chance, score: 0.51, train: [90, 10], epochs: learnt, best: 1)
        #expect(try only(skewed).contains("did not even learn the training clips"))
        let exploded = [epoch(1, train: 1, accuracy: 0.5, loss: 0.7), epoch(2, train: 900, accuracy: 0.5, loss: 0.7)]
        let smaller = try only(report(chance, score: 0.51, epochs: exploded, best: 1))
        #expect(smaller.contains("rose to 900.00. Try a ten times smaller"))
        // Train for longer first.
        let falling = [epoch(1, accuracy: 0.5, loss: 1, valAccuracy: 0.5), epoch(2, accuracy: 0.55, loss: 0.7, valAccuracy: 0.5)]
        #expect(try only(report(chance, score: 0.51, epochs: falling, best: 2)).contains("Train for longer"))
    }
}
