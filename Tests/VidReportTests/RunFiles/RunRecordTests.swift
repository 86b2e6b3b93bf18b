import Testing
import VidReport
import VidSystem
import VidTestSupport
import VidTrain

@Suite struct RunRecordTests {
    private let box: TestFolder

    init() throws { box = try TestFolder() }

    private var record: RunRecord {
        var record = RunRecord(version: "1.2", command: ["vidclass", "train", "a b"], started: "2024-05-01T10:00:00Z")
        (record.state, record.seconds, record.epochs, record.stage) = (.finished, 12.5, 7, 2)
        (record.stopReason, record.bestEpoch, record.monitor, record.bestValue) = ("early_stopping", 5, "val_loss", 0.25)
        record.frozen = [.init(stage: 1, before: "ab", after: "ab")]
        record.clips = [("train", 8), ("val", 2)]
        return record
    }

    @Test func aRecordReadsBack() throws {
        try record.write(to: box("run.json"))
        let read = try #require(RunRecord(readingFrom: box("run.json")))
        #expect(read.state == .finished && read.version == "1.2" && read.command == ["vidclass", "train", "a b"])
        #expect(read.started == "2024-05-01T10:00:00Z" && read.seconds == 12.5 && read.stopReason == "early_stopping")
        #expect(read.bestEpoch == 5 && read.monitor == "val_loss" && read.bestValue == 0.25)
        #expect(read.frozen.map(\.stage) == [1] && read.frozen.map(\.before) == ["ab"] && read.frozen.map(\.after) == ["ab"])
        #expect(read.peakBytesBefore > 0)
        let document = try JSONParser.parse(box.bytes("run.json"))
        #expect(document["clips"]?["train"]?.intValue == 8 && document["clips"]?["val"]?.intValue == 2)
        #expect(document["frozen_weights"]?.arrayElements?.first?["unchanged"]?.boolValue == true)
        #expect(document["stage"]?.intValue == 2 && document["epochs"]?.intValue == 7)
    }

    @Test func aResumedRunTakesOverTimesAndProofs() throws {
        try record.write(to: box("run.json"))
        var resumed = RunRecord(version: "1.3", command: ["vidclass"], started: "now")
        #expect(resumed.carryOver(from: box("run.json")) == .finished)
        #expect(resumed.secondsBefore == 12.5 && resumed.frozen.count == 1 && resumed.peakBytesBefore > 0)
        #expect(resumed.version == "1.3" && resumed.bestEpoch == nil && resumed.state == .running)
    }

    @Test(arguments: ["", "{", "[]", "null", "{\"state\":\"gone\",\"seconds\":\"x\",\"frozen_weights\":[1,{}],\"command\":{}}"])
    func otherFilesChangeNothing(text: String) throws {
        let path = try box.write("run.json", text: text)
        var record = RunRecord(version: "1", command: ["a"], started: "now")
        #expect(record.carryOver(from: path) != .finished)
        #expect(record.secondsBefore == 0 && record.frozen.isEmpty && record.peakBytesBefore == 0)
        #expect(record.carryOver(from: box("missing.json")) == nil && record.carryOver(from: nil) == nil)
    }

    @Test func aStoryHasTheRecordAndTheEpochs() throws {
        try record.write(to: box("run.json"))
        let header = "epoch,time,train/loss,train/categorical_accuracy,val/loss,val/categorical_accuracy,lr\n"
        try box.write("results.csv", text: header + "1,1.5,0.5,0.75,,,0.1\n2,3,0.25,0.8,0.4,0.7,0.1\n")
        let story = RunStory(folder: "r", results: box("results.csv"), record: box("run.json"), plannedEpochs: 9)
        #expect(story.bestEpoch == 5 && story.frozenUnchanged == true && story.fault == nil)
        #expect(story.epochs.map(\.seconds) == [1.5, 3] && story.epochs.map(\.validationLoss) == [nil, 0.4])
        try box.write("results.csv", text: header + "1,x,0,0,,,0\n")
        let damaged = RunStory(folder: "r", results: box("results.csv"), record: box("none"), plannedEpochs: 9)
        #expect(damaged.fault?.contains("line 2: expected a number, found x") == true && damaged.epochs.isEmpty && damaged.record == nil)
        #expect(RunStory(folder: "r", results: box("none"), record: box("none"), plannedEpochs: 9).fault == nil)
    }
}
