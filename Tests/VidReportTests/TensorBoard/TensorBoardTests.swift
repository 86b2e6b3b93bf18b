import Foundation
import Testing
import VidConfig
import VidModel
import VidReport
import VidTensor
import VidTestSupport
import VidTrain

@Suite struct RecordFramingTests {
    /// The examples of RFC 3720, B.4, and the check value of CRC-32C.
    @Test(
        arguments: [
            ([UInt8](repeating: 0, count: 32), 0x8A91_36AA), ([UInt8](repeating: 0xFF, count: 32), 0x62A8_AB43),
            (Array(0..<32), 0x46DD_794E), (Array((0..<32).reversed()), 0x113F_DB5C), (Array("123456789".utf8), 0xE306_9283), ([], 0),
        ] as [([UInt8], UInt32)])
    func checksumsAreThoseOfTheStandard(bytes: [UInt8], crc: UInt32) {
        #expect(RecordFraming.crc32C(bytes) == crc)
    }

    /// The first record of an event file at wall time 0, as tensorboard.summary.writer.record_writer of TensorBoard 2.21 writes it.
    @Test func aRecordIsTensorBoardsOwn() {
        let payload: [UInt8] = [9, 0, 0, 0, 0, 0, 0, 0, 0, 26, 13] + Array("brain.Event:2".utf8)
        var bytes: [UInt8] = []
        RecordFraming.append(payload, to: &bytes)
        #expect(bytes == [24, 0, 0, 0, 0, 0, 0, 0, 0xA3, 0x7F, 0x4B, 0x22] + payload + [0xEE, 0xDF, 0x28, 0xA3])
        #expect(RecordFraming.records(in: bytes) == [payload])
    }

    @Test func readersStopAtDamage() {
        let payloads: [[UInt8]] = [[1, 2, 3], [], Array(repeating: 7, count: 300)]
        var bytes: [UInt8] = []
        var ends: [Int] = []
        for payload in payloads {
            RecordFraming.append(payload, to: &bytes)
            ends.append(bytes.count)
        }
        for length in 0...bytes.count {
            let whole = ends.filter { $0 <= length }.count
            #expect(RecordFraming.records(in: Array(bytes.prefix(length))) == Array(payloads.prefix(whole)))
        }
        for index in bytes.indices {
            var damaged = bytes
            damaged[index] ^= 0x40
            let whole = ends.filter { $0 <= index }.count
            #expect(RecordFraming.records(in: damaged) == Array(payloads.prefix(whole)), "byte \(index)")
        }
    }
}

@Suite struct TensorBoardLogTests {
    private func parameters() throws -> ParameterStore {
        var layout = ParameterLayout()
        _ = layout.add("cnn/kernel", [3, 3, 3, 4], .glorotUniform(fanIn: 27, fanOut: 36), trainable: false)
        _ = layout.add("output/kernel", [4, 2], .glorotUniform(fanIn: 4, fanOut: 2))
        _ = layout.add("output/bias", [2], .zeros)
        let store = try ParameterStore(layout)
        var random = RandomGenerator(seed: 1, stream: 0)
        try store.initialize(&random)
        return store
    }

    private func report(_ epoch: Int, isBest: Bool = true) -> EpochReport {
        let clips = [(0, [0.9, 0.1]), (1, [0.6, 0.4]), (1, [0.2, 0.8])] as [(Int, [Float])]
        let evaluation = Evaluation(
            classes: ["a", "b"], clips: clips.enumerated().map { ClipScores(clip: "\($0)", label: $1.0, scores: $1.1) },
            losses: [0.1, 0.2, 0.3])
        return EpochReport(
            record: EpochRecord(
                epoch: epoch, seconds: 1, trainLoss: 1.0 / Double(epoch + 2), trainAccuracy: 0.7,
                validation: .init([.validationLoss: 0.2, .validationAccuracy: 2.0 / 3, .validationTop5: 1, .validationMacroF1: 0.6]),
                learningRate: 0.002),
            isBest: isBest, validation: evaluation, times: EpochTimes())
    }

    private func events(_ folder: TestFolder, _ name: String) throws -> [TBEvent] {
        try EventFile.events(in: try folder.bytes(name))
    }

    @Test func eventsReadBack() throws {
        let folder = try TestFolder()
        let (store, workers) = (try parameters(), Workers(count: 2))
        let log = try TensorBoardLog(
            in: folder.path, epochs: 0, isResumed: false, configuration: "{ \"a\": \"```\" }", command: ["vidclass", "train", "a b"],
            parameters: store, workers)
        try log.write(report(1), store, holdsGradients: true, workers)
        try log.write(report(2, isBest: false), store, holdsGradients: false, workers)
        let names = try folder.names()
        #expect(names.count == 1 && names[0].hasPrefix("events.out.tfevents."))
        let events = try events(folder, names[0])
        #expect(events.count == 4 && events.allSatisfy { $0.wallTime > 1.7e9 })
        #expect(events[0].fileVersion == "brain.Event:2")
        #expect(events.map(\.step) == [0, 0, 1, 2])
        let first = events[1].summary.value
        #expect(first.map(\.tag) == ["config", "command", "weights/cnn/kernel"])
        #expect(first[0].tensor.stringVal == [Data("````json\n{ \"a\": \"```\" }\n````".utf8)])
        #expect(first[1].tensor.stringVal == [Data("```\nvidclass train 'a b'\n```".utf8)])
        #expect(first[2].tensor.tensorShape.dim.map(\.size) == [30, 3])
        let counts = stride(from: 2, to: 90, by: 3).reduce(0) { $0 + first[2].tensor.doubleVal[$1] }
        #expect(counts == 108)
        #expect(!events[2].summary.value.contains { $0.tag == "clips_per_second" })
        let epoch = Dictionary(uniqueKeysWithValues: events[2].summary.value.map { ($0.tag, $0) })
        #expect(
            Set(epoch.keys) == [
                "train/loss", "train/categorical_accuracy", "val/loss", "val/categorical_accuracy", "val/top_5_accuracy", "val/macro_f1",
                "lr", "weights/output/kernel", "weights/output/bias", "gradients/output/kernel", "gradients/output/bias",
                "val/confusion_matrix",
            ])
        #expect(epoch["train/loss"]?.simpleValue == Float(1.0 / 3))
        #expect(epoch["val/confusion_matrix"]?.tensor.stringVal.last?.starts(with: [0x89, 0x50, 0x4E, 0x47]) == true)
        #expect(epoch["weights/output/bias"]?.tensor.doubleVal == [-0.5, 0.5, 2])
        #expect(events[3].summary.value.allSatisfy { !$0.tag.hasPrefix("gradients") && $0.tag != "val/confusion_matrix" })
    }

    /// After a kill in the middle of a write, a new file voids the epochs beyond the checkpoint and sorts behind the first.
    @Test func resumingBeginsANewFile() throws {
        let folder = try TestFolder()
        let (store, workers) = (try parameters(), Workers(count: 1))
        func begin(_ epochs: Int, isResumed: Bool) throws -> TensorBoardLog {
            try TensorBoardLog(
                in: folder.path, epochs: epochs, isResumed: isResumed, configuration: "{}", command: [], parameters: store, workers)
        }
        let first = try begin(0, isResumed: false)
        for epoch in 1...3 { try first.write(report(epoch), store, holdsGradients: true, workers) }
        let name = try folder.names()[0]
        let bytes = try folder.bytes(name)
        try folder.write(name, Array(bytes.dropLast(100)))
        let second = try begin(2, isResumed: true)
        try second.write(report(3), store, holdsGradients: true, workers)
        let names = try folder.names()
        #expect(names.count == 2 && names[0] == name)
        #expect(try events(folder, names[0]).count == 4)
        let resumed = try events(folder, names[1])
        #expect(resumed.map(\.step) == [0, 3, 2, 3])
        #expect(resumed[1].sessionLog.status == .start)
        try TensorBoardLog.remove(from: folder.path)
        #expect(try folder.names().isEmpty)
    }

    @Test(arguments: [1, 2, 11, 100])
    func theConfusionMatrixIsDrawnAtAnyNumberOfClasses(count: Int) throws {
        let classes = (0..<count).map { $0 == 1 ? "a class with a name that is much too long to be shown" : "class \($0)" }
        let clips = (0..<3 * count).map { clip in
            ClipScores(clip: "\(clip)", label: clip % count, scores: (0..<count).map { $0 == (clip * clip) % count ? 1 : 0 })
        }
        let canvas = try ConfusionPlot(Evaluation(classes: classes, clips: clips, losses: []), heading: "Validation after epoch 3").canvas()
        #expect((150...1800).contains(canvas.width) && (150...1800).contains(canvas.height))
        if let path = ProcessInfo.processInfo.environment["VIDCLASS_PICTURES"] {
            try Data(try canvas.png()).write(to: URL(fileURLWithPath: path + "/confusion-\(count).png"))
        }
    }
}
